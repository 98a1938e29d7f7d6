package io.tombolo.coordinator;

import static java.util.Objects.requireNonNull;

import io.tombolo.region.HostState;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// How one incarnation of a host is fenced, and how it becomes known that it has stopped: a pure step function. First
/// its slot word leaves LIVE, by order to a live host. Then its fence agents are tried in turn. What counts as
/// confirmation is the slot word alone; this only sees to it that it is written.
///
/// The answer of a fence agent that is not trusted adds to the wait for the watchdog and replaces nothing: confirmed is
/// at the later of the answer and F + the host's bound, F being when *this* process read a slot word that was not LIVE;
/// and never where the host declared no bound. Every leader counts its own F.
public final class HostFencing {
    /// Where it is.
    public enum Phase {
        /// The order to take the slot word out of LIVE is to be given.
        FENCING,
        /// A fence agent is running.
        AGENT,
        /// Nothing can be done but wait until somebody says that it has stopped.
        WAITING,
        /// Its confirmation is to be ordered, at once or when the bound has passed.
        CONFIRMING,
        /// It has stopped, or the slot is somebody else's.
        DONE
    }

    /// A configured fence agent.
    public record Agent(String name, boolean trusted) {
        public Agent {
            requireNonNull(name, "name is null");
        }
    }

    /// What is fenced, and with what.
    ///
    /// @param boundNs  bound of the host's watchdog; -1: unknown
    /// @param evidence what somebody who knows says, `operator`; `""` for nobody
    public record Plan(String host, int slot, long incarnation, List<Agent> agents, long boundNs, String evidence,
            HandoffTimings timings) {
        public Plan {
            requireNonNull(host, "host is null");
            agents = List.copyOf(agents);
            requireNonNull(evidence, "evidence is null");
            requireNonNull(timings, "timings is null");
        }
    }

    /// Everything that is remembered. Immutable; times are of the injected clock, 0 where it has not come to that.
    ///
    /// @param agent     the one that runs, or is next
    /// @param confirmNs when the confirmation may be ordered
    /// @param tried     what became of the agents, for people
    public record State(Plan plan, Phase phase, int agent, long suspectedNs, long fencedNs, long confirmNs,
            String evidence, List<String> tried, long wakeNs) {
        public State {
            requireNonNull(plan, "plan is null");
            requireNonNull(phase, "phase is null");
            requireNonNull(evidence, "evidence is null");
            tried = List.copyOf(tried);
        }

        private State to(Phase next, long wake) {
            return new State(plan, next, agent, suspectedNs, fencedNs, confirmNs, evidence, tried, wake);
        }
    }

    /// What happens.
    public sealed interface Event {
        /// It is time, see [State#wakeNs].
        record Tick() implements Event {
        }

        /// The slot word, read now.
        record SlotRead(HostState state, long incarnation) implements Event {
        }

        /// The order to fence, or to confirm, was carried out or was not.
        record Ordered(boolean ok) implements Event {
        }

        /// A fence agent has ended.
        ///
        /// @param ok   it says that the host is off, and, for a trusted one, so does its `status`
        /// @param text how it ended, for people
        record AgentEnded(boolean ok, String text) implements Event {
            public AgentEnded {
                requireNonNull(text, "text is null");
            }
        }
    }

    /// What the edge has to do; each is answered by one event.
    public sealed interface Effect {
        /// Read the slot word.
        record ReadSlot() implements Effect {
        }

        /// `FenceHost` to a live host.
        record SendFence() implements Effect {
        }

        /// Run the fence agent, if the slot word still says so immediately before; else answer with [Event.SlotRead].
        record RunAgent(int index) implements Effect {
        }

        /// `ConfirmStopped` to a live host.
        record SendConfirm(String evidence) implements Effect {
        }
    }

    /// What comes next.
    public record Step(State state, List<Effect> effects) {
        public Step {
            requireNonNull(state, "state is null");
            effects = List.copyOf(effects);
        }
    }

    private HostFencing() {
    }

    /// Begins.
    public static Step start(Plan plan, long nowNs) {
        return new Step(new State(plan, Phase.FENCING, 0, nowNs, 0, 0, plan.evidence(), List.of(), never(nowNs)),
                List.of(new Effect.ReadSlot()));
    }

    /// One event.
    public static Step step(State state, Event event, long nowNs) {
        return switch (event) {
            case Event.Tick _ -> tick(state, nowNs);
            case Event.SlotRead(HostState word, long incarnation) -> slotRead(state, word, incarnation, nowNs);
            case Event.Ordered(boolean ok) -> ok
                    ? new Step(wait(state, never(nowNs)), List.of(new Effect.ReadSlot()))
                    : new Step(wait(state, nowNs + ms(state.plan().timings().retryMs())), List.of());
            case Event.AgentEnded(boolean ok, String text) -> agentEnded(state, ok, text, nowNs);
        };
    }

    private static Step tick(State state, long nowNs) {
        return nowNs - state.wakeNs() < 0 || state.phase() == Phase.DONE || state.phase() == Phase.AGENT
                ? new Step(state, List.of())
                : new Step(wait(state, never(nowNs)), List.of(new Effect.ReadSlot()));
    }

    private static Step slotRead(State state, HostState word, long incarnation, long nowNs) {
        if (state.phase() == Phase.DONE) {
            return new Step(state, List.of());
        }
        boolean stopped = incarnation != state.plan().incarnation() || word == HostState.FREE
                || word == HostState.STOPPED || word == HostState.CONFIRMED;
        if (stopped) {
            long fenced = state.fencedNs() == 0 ? nowNs : state.fencedNs();
            return new Step(new State(state.plan(), Phase.DONE, state.agent(), state.suspectedNs(), fenced,
                    state.confirmNs(), state.evidence(), state.tried(), never(nowNs)), List.of());
        }
        if (word == HostState.LIVE || word == HostState.CLAIMING) {
            return new Step(state.to(Phase.FENCING, never(nowNs)), List.of(new Effect.SendFence()));
        }
        State fenced = state.fencedNs() != 0
                ? state
                : new State(state.plan(), state.phase(), state.agent(), state.suspectedNs(), nowNs, state.confirmNs(),
                        state.evidence(), state.tried(), state.wakeNs());
        return switch (fenced.phase()) {
            case FENCING -> !fenced.evidence().isEmpty()
                    ? confirm(fenced, fenced.evidence(), nowNs)
                    : nextAgent(fenced, 0, nowNs);
            // The edge did not run it because it read this; what it read allows it.
            case AGENT -> nextAgent(fenced, fenced.agent(), nowNs);
            case WAITING -> fenced.confirmNs() != 0 && nowNs - fenced.confirmNs() >= 0
                    ? nextAgent(fenced, 0, nowNs)
                    : new Step(wait(fenced, nowNs + ms(state.plan().timings().askMs())), List.of());
            case CONFIRMING -> nowNs - fenced.confirmNs() >= 0
                    ? new Step(fenced.to(Phase.CONFIRMING, never(nowNs)),
                            List.of(new Effect.SendConfirm(fenced.evidence())))
                    : new Step(wait(fenced, nowNs + ms(state.plan().timings().askMs())), List.of());
            case DONE -> new Step(fenced, List.of());
        };
    }

    private static Step nextAgent(State state, int index, long nowNs) {
        HandoffTimings timings = state.plan().timings();
        if (index < state.plan().agents().size()) {
            return new Step(new State(state.plan(), Phase.AGENT, index, state.suspectedNs(), state.fencedNs(), 0, "",
                    index == 0 ? List.of() : state.tried(), never(nowNs)), List.of(new Effect.RunAgent(index)));
        }
        long again = state.plan().agents().isEmpty() ? 0 : nowNs + ms(timings.fenceRetryMs());
        return new Step(new State(state.plan(), Phase.WAITING, 0, state.suspectedNs(), state.fencedNs(), again, "",
                state.tried(), nowNs + ms(timings.askMs())), List.of());
    }

    private static Step agentEnded(State state, boolean ok, String text, long nowNs) {
        if (state.phase() != Phase.AGENT) {
            return new Step(state, List.of());
        }
        Agent agent = state.plan().agents().get(state.agent());
        List<String> tried = new ArrayList<>(state.tried());
        boolean usable = ok && (agent.trusted() || state.plan().boundNs() >= 0);
        tried.add(agent.name() + ": " + text
                + (ok && !usable ? "; not trusted, and the host declares no watchdog bound: it is no evidence" : ""));
        State told = new State(state.plan(), state.phase(), state.agent(), state.suspectedNs(), state.fencedNs(), 0,
                state.evidence(), tried, state.wakeNs());
        if (!usable) {
            return nextAgent(told, state.agent() + 1, nowNs);
        }
        long fromNs = state.fencedNs() + state.plan().boundNs();
        long when = agent.trusted() || nowNs - fromNs >= 0 ? nowNs : fromNs;
        return confirm(new State(told.plan(), told.phase(), told.agent(), told.suspectedNs(), told.fencedNs(), when,
                told.evidence(), tried, told.wakeNs()), "fence-agent:" + agent.name(), nowNs);
    }

    private static Step confirm(State state, String evidence, long nowNs) {
        long when = state.confirmNs() == 0 ? nowNs : state.confirmNs();
        State next = new State(state.plan(), Phase.CONFIRMING, state.agent(), state.suspectedNs(), state.fencedNs(),
                when, evidence, state.tried(), never(nowNs));
        return new Step(next, List.of(new Effect.ReadSlot()));
    }

    private static State wait(State state, long wakeNs) {
        return state.to(state.phase(), wakeNs);
    }

    private static long ms(long ms) {
        return TimeUnit.MILLISECONDS.toNanos(ms);
    }

    private static long never(long nowNs) {
        return nowNs + TimeUnit.DAYS.toNanos(1);
    }
}
