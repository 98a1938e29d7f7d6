package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.coordinator.wire.Reply;
import io.tombolo.coordinator.wire.TakeoverReport;
import io.tombolo.coordinator.wire.VmSpec;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/// How one VM whose owner is gone comes to another host: a pure step function (docs/takeover.md). It chooses a host,
/// orders, watches, and chooses the next one when that host dies, too. It decides nothing: every change of the owner
/// word is a compare-and-set by the host that takes the VM over, against the epoch that was read here, so two
/// coordinators that do this at once are as safe as one. All it knows is in the region; the next leader begins by
/// looking.
public final class TakeoverOrchestration {
    /// Where it is.
    public enum Phase {
        /// The words are being read, or will be at [State#wakeNs].
        LOOKING,
        /// A host was told to take the VM over.
        ORDERED,
        /// That host does it.
        WATCHING,
        /// A host was told to boot the VM anew.
        RESTARTING,
        /// Somebody owns the VM again, it is lost, or the term is over.
        DONE
    }

    /// What is to be done.
    ///
    /// @param fromHost name of the host that owned it when this began
    /// @param wantHost the only host that may take it over; `""` for any
    public record Plan(VmSpec spec, int vmSlot, String fromHost, String wantHost, HandoffTimings timings) {
        public Plan {
            requireNonNull(spec, "spec is null");
            requireNonNull(fromHost, "fromHost is null");
            requireNonNull(wantHost, "wantHost is null");
            requireNonNull(timings, "timings is null");
        }
    }

    /// Everything that is remembered. Immutable; times are of the injected clock.
    ///
    /// @param to      the host that was ordered; `""` before
    /// @param avoided hosts that refused since all were tried last
    /// @param idle    the host that has the owner word and said that it does no takeover; `""` for none
    /// @param report  what is known, for people
    public record State(Plan plan, Phase phase, String to, Set<String> avoided, String idle, TakeoverReport report,
            long wakeNs) {
        public State {
            requireNonNull(plan, "plan is null");
            requireNonNull(phase, "phase is null");
            requireNonNull(to, "to is null");
            avoided = Set.copyOf(avoided);
            requireNonNull(idle, "idle is null");
            requireNonNull(report, "report is null");
        }
    }

    /// What happens.
    public sealed interface Event {
        /// It is time, see [State#wakeNs].
        record Tick() implements Event {
        }

        /// The words, read now.
        ///
        /// @param ownerGone  the slot that the owner word names is not LIVE, or does not know of this VM
        /// @param ownerHost  its host, `""` when it has no name
        /// @param candidates hosts that could take it, the best first
        record Looked(OwnerSnapshot owner, boolean ownerGone, String ownerHost, List<String> candidates)
                implements
                    Event {
            public Looked {
                requireNonNull(owner, "owner is null");
                requireNonNull(ownerHost, "ownerHost is null");
                candidates = List.copyOf(candidates);
            }
        }

        /// The host has taken the owner word.
        record Started(long epoch) implements Event {
        }

        /// It has not, or nobody knows.
        record OrderFailed(String code, String text) implements Event {
        }

        /// How far it is.
        record Told(Reply.TakeoverState how) implements Event {
        }

        /// It does not say.
        record AskFailed(String code) implements Event {
        }

        /// The VM was booted anew.
        record Restarted() implements Event {
        }

        /// It was not.
        record RestartFailed(String code, String text) implements Event {
        }

        /// This coordinator does not lead any more.
        record TermEnded() implements Event {
        }
    }

    /// What the edge has to do; each is answered by one event.
    public sealed interface Effect {
        /// Read the words.
        record Look() implements Effect {
        }

        /// `TakeOver` to that host.
        record Order(String host, long ownerEpoch) implements Effect {
        }

        /// `AskTakeover` to that host.
        record Ask(String host) implements Effect {
        }

        /// `RestartVm` to that host.
        record Restart(String host) implements Effect {
        }
    }

    /// What comes next.
    public record Step(State state, List<Effect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    private TakeoverOrchestration() {
    }

    /// Begins by looking.
    public static Step start(Plan plan, long nowNs) {
        TakeoverReport nothing = new TakeoverReport(plan.spec().name(), plan.vmSlot(), plan.fromHost(), "", 0,
                "WAITING", "", "", List.of(), nowNs, 0, 0, 0, 0, 0, 0);
        return look(new State(plan, Phase.LOOKING, "", Set.of(), "", nothing, never(nowNs)), nowNs);
    }

    /// One event.
    public static Step step(State state, Event event, long nowNs) {
        if (state.phase() == Phase.DONE) {
            return new Step(state, List.of());
        }
        return switch (event) {
            case Event.TermEnded _ -> done(state, state.report(), nowNs);
            case Event.Tick _ -> tick(state, nowNs);
            case Event.Looked looked -> state.phase() == Phase.LOOKING
                    ? looked(state, looked, nowNs)
                    : new Step(state, List.of());
            case Event.Started(long epoch) -> state.phase() == Phase.ORDERED
                    ? ask(at(state, Phase.WATCHING, state.to(), state.avoided(), begun(state, epoch), nowNs))
                    : new Step(state, List.of());
            case Event.OrderFailed(String code, String text) -> state.phase() == Phase.ORDERED
                    ? refused(state, code, text, nowNs)
                    : new Step(state, List.of());
            case Event.Told(Reply.TakeoverState how) -> state.phase() == Phase.WATCHING
                    ? told(state, how, nowNs)
                    : new Step(state, List.of());
            case Event.AskFailed _ -> state.phase() == Phase.WATCHING
                    ? later(state, state.avoided(), state.report(), state.plan().timings().askMs(), nowNs)
                    : new Step(state, List.of());
            case Event.Restarted _ -> state.phase() == Phase.RESTARTING
                    ? done(state, phase(state.report(), "RESTARTED", state.report().reason(), ""), nowNs)
                    : new Step(state, List.of());
            case Event.RestartFailed(String code, String text) -> state.phase() == Phase.RESTARTING
                    ? refused(state, code, text, nowNs)
                    : new Step(state, List.of());
        };
    }

    private static Step tick(State state, long nowNs) {
        if (nowNs - state.wakeNs() < 0) {
            return new Step(state, List.of());
        }
        return switch (state.phase()) {
            case LOOKING -> look(state, nowNs);
            case WATCHING -> ask(at(state, Phase.WATCHING, state.to(), state.avoided(), state.report(), nowNs));
            // Answered in the end, if only by a time-out.
            case ORDERED, RESTARTING, DONE -> new Step(state, List.of());
        };
    }

    private static Step look(State state, long nowNs) {
        return new Step(at(state, Phase.LOOKING, state.to(), state.avoided(), state.report(), nowNs),
                List.of(new Effect.Look()));
    }

    private static Step ask(State state) {
        return new Step(state, List.of(new Effect.Ask(state.to())));
    }

    private static Step looked(State state, Event.Looked looked, long nowNs) {
        OwnerSnapshot owner = looked.owner();
        return switch (owner.state()) {
            case FREE -> done(state, phase(state.report(), "LOST", CoordinatorError.VM_NOT_IN_REGION.name(),
                    "it was being created or destroyed when its host died, and is gone"), nowNs);
            case LOST -> lost(state, looked, nowNs);
            case RECOVERING, RESTORING -> looked.ownerGone()
                    ? choose(state, looked, nowNs)
                    : state.idle().equals(looked.ownerHost())
                            ? order(state, looked.ownerHost(), owner.epoch(), nowNs)
                            : ask(at(state, Phase.WATCHING, looked.ownerHost(), state.avoided(),
                                    begun(named(state.report(), looked.ownerHost()), state, owner.epoch()), nowNs));
            case CREATING, RUNNING, OFFERED, CLAIMED, PAUSED, DESTROYING -> looked.ownerGone()
                    ? choose(state, looked, nowNs)
                    : done(state, phase(epoch(named(state.report(), looked.ownerHost()), owner.epoch()),
                            owner.state().name(), "", ""), nowNs);
        };
    }

    private static Step lost(State state, Event.Looked looked, long nowNs) {
        TakeoverReport report = phase(state.report(), "LOST",
                state.report().phase().equals("LOST")
                        ? state.report().reason()
                        : CoordinatorError.VM_LOST.name(),
                lostText(state.plan(), state.report().reason()));
        if (!state.plan().spec().onHostFailure().equals(VmSpec.RESTART)) {
            return done(state, report, nowNs);
        }
        String host = pick(state, looked);
        if (host.isEmpty()) {
            return noHost(state, report, nowNs);
        }
        return new Step(at(state, Phase.RESTARTING, host, state.avoided(), named(report, host), nowNs),
                List.of(new Effect.Restart(host)));
    }

    private static Step choose(State state, Event.Looked looked, long nowNs) {
        String host = pick(state, looked);
        if (host.isEmpty()) {
            return noHost(state, state.report(), nowNs);
        }
        return order(state, host, looked.owner().epoch(), nowNs);
    }

    private static Step order(State state, String host, long epoch, long nowNs) {
        return new Step(at(state, Phase.ORDERED, host, state.avoided(), state.report(), nowNs),
                List.of(new Effect.Order(host, epoch)));
    }

    private static String pick(State state, Event.Looked looked) {
        return looked.candidates().stream().filter(host -> !state.avoided().contains(host))
                .filter(host -> state.plan().wantHost().isEmpty() || host.equals(state.plan().wantHost())).findFirst()
                .orElse("");
    }

    /// All are tried again after a while: what kept one from it may be over.
    private static Step noHost(State state, TakeoverReport report, long nowNs) {
        boolean refusedAll = !state.avoided().isEmpty();
        TakeoverReport waiting = refusedAll
                ? report
                : phase(report, "WAITING", CoordinatorError.NO_HOST_AVAILABLE.name(),
                        "no live host can take the VM; start an agent, undrain a host, or raise"
                                + " placement.maxVmsPerHost");
        return later(state, Set.of(), waiting, state.plan().timings().retryMs(), nowNs);
    }

    private static Step refused(State state, String code, String text, long nowNs) {
        Set<String> avoided = new HashSet<>(state.avoided());
        avoided.add(state.to());
        return later(state, avoided, phase(state.report(), "WAITING", code, state.to() + ": " + text),
                state.plan().timings().askMs(), nowNs);
    }

    private static Step told(State state, Reply.TakeoverState how, long nowNs) {
        TakeoverReport was = state.report();
        if (how.phase().equals("NONE")) {
            // It has given it up, or has never heard of it. It alone can take it from itself; anybody else has to wait
            // until it is confirmed stopped.
            TakeoverReport report = how.reason().isEmpty()
                    ? was
                    : phase(was, "WAITING", how.reason(), state.to() + " has given the takeover up, and begins anew");
            int ms = how.reason().isEmpty() ? state.plan().timings().askMs() : state.plan().timings().retryMs();
            return new Step(new State(state.plan(), Phase.LOOKING, state.to(), state.avoided(), state.to(), report,
                    nowNs + ms(ms)), List.of());
        }
        boolean waits = how.phase().equals("WAITING");
        TakeoverReport report = new TakeoverReport(was.vm(), was.vmSlot(), was.fromHost(), state.to(), was.epoch(),
                how.phase(),
                waits && how.reason().isEmpty()
                        ? CoordinatorError.TAKEOVER_WAITS_FOR_CONFIRMATION.name()
                        : how.reason(),
                waits ? waitText(how.inDoubt()) : "", how.inDoubt(), was.suspectedNs(), was.fencedNs(), how.begunNs(),
                how.confirmedNs(), how.recoveredNs(), how.runningNs(), how.pagesRolledBack());
        return switch (how.phase()) {
            case "RUNNING", "PAUSED" -> done(state, report, nowNs);
            case "LOST" -> state.plan().spec().onHostFailure().equals(VmSpec.RESTART)
                    ? later(state, Set.of(), report, 0, nowNs)
                    : done(state, phase(report, "LOST", how.reason(), lostText(state.plan(), how.reason())),
                            nowNs);
            default -> new Step(new State(state.plan(), Phase.WATCHING, state.to(), state.avoided(), "", report,
                    nowNs + ms(state.plan().timings().askMs())), List.of());
        };
    }

    private static String waitText(List<String> inDoubt) {
        return "not confirmed stopped: " + String.join(", ", inDoubt)
                + "; make sure that it has stopped, then: tombolo host fence HOST --i-know-host-is-dead HOST";
    }

    private static String lostText(Plan plan, String reason) {
        String why = switch (reason) {
            case "VM_LOST_NOT_PROTECTED" -> "it was not protected, and its host died while it ran";
            case "VM_LOST_LOCAL_PAGES" -> "pages of it were in the memory of the host that died";
            case "VM_LOST_STATE_DAMAGED" -> "its saved state is damaged";
            default -> "it cannot go on";
        };
        return why + "; tombolo vm destroy " + plan.spec().name()
                + ", or create it with --on-host-failure restart";
    }

    private static Step later(State state, Set<String> avoided, TakeoverReport report, int ms, long nowNs) {
        return new Step(new State(state.plan(), Phase.LOOKING, state.to(), avoided, "", report, nowNs + ms(ms)),
                List.of());
    }

    private static Step done(State state, TakeoverReport report, long nowNs) {
        return new Step(at(state, Phase.DONE, state.to(), state.avoided(), report, nowNs), List.of());
    }

    private static State at(State state, Phase phase, String to, Set<String> avoided, TakeoverReport report,
            long nowNs) {
        return new State(state.plan(), phase, to, avoided, phase == Phase.LOOKING ? state.idle() : "", report,
                never(nowNs));
    }

    private static TakeoverReport begun(State state, long epoch) {
        return begun(named(state.report(), state.to()), state, epoch);
    }

    private static TakeoverReport begun(TakeoverReport r, State state, long epoch) {
        List<String> doubts = new ArrayList<>(state.report().inDoubt());
        return new TakeoverReport(r.vm(), r.vmSlot(), r.fromHost(), r.toHost(), epoch, "WAITING", "", "", doubts,
                r.suspectedNs(), r.fencedNs(), r.begunNs(), r.confirmedNs(), r.recoveredNs(), r.runningNs(),
                r.pagesRolledBack());
    }

    private static TakeoverReport phase(TakeoverReport r, String phase, String reason, String text) {
        return new TakeoverReport(r.vm(), r.vmSlot(), r.fromHost(), r.toHost(), r.epoch(), phase, reason, text,
                r.inDoubt(), r.suspectedNs(), r.fencedNs(), r.begunNs(), r.confirmedNs(), r.recoveredNs(),
                r.runningNs(), r.pagesRolledBack());
    }

    private static TakeoverReport named(TakeoverReport r, String host) {
        return new TakeoverReport(r.vm(), r.vmSlot(), r.fromHost(), host, r.epoch(), r.phase(), r.reason(), r.text(),
                r.inDoubt(), r.suspectedNs(), r.fencedNs(), r.begunNs(), r.confirmedNs(), r.recoveredNs(),
                r.runningNs(), r.pagesRolledBack());
    }

    private static TakeoverReport epoch(TakeoverReport r, long epoch) {
        return new TakeoverReport(r.vm(), r.vmSlot(), r.fromHost(), r.toHost(), epoch, r.phase(), r.reason(), r.text(),
                r.inDoubt(), r.suspectedNs(), r.fencedNs(), r.begunNs(), r.confirmedNs(), r.recoveredNs(),
                r.runningNs(), r.pagesRolledBack());
    }

    private static long ms(long ms) {
        return TimeUnit.MILLISECONDS.toNanos(ms);
    }

    private static long never(long nowNs) {
        return nowNs + TimeUnit.DAYS.toNanos(1);
    }
}
