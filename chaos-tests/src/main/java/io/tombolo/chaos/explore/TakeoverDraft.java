package io.tombolo.chaos.explore;

import io.tombolo.chaos.explore.Call.Bytes;
import io.tombolo.chaos.explore.TakeoverWorld.Truth;
import io.tombolo.region.CommitWord;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.VerifyReport;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/// A world of a takeover while one step changes it, and who watches what is stored.
final class TakeoverDraft {
    private static final String[] NAMES = {"A", "C", "D"};
    private static final long EPOCHS = (1L << 22) - 1;

    private final RegionImage image;
    private final DraftMemory memory;
    private final Lives.Node[] hosts;
    private Truth truth;

    TakeoverDraft(RegionImage image, TakeoverWorld was) {
        this.image = image;
        this.memory = new DraftMemory(image, was.words().toArray(Words[]::new));
        this.hosts = was.hosts().toArray(Lives.Node[]::new);
        this.truth = was.truth();
    }

    static String name(int host) {
        return NAMES[host];
    }

    TakeoverWorld world() {
        return new TakeoverWorld(List.of(memory.words()), List.of(hosts), truth);
    }

    DraftMemory memory() {
        return memory;
    }

    void host(int host, Lives.Node now) {
        hosts[host] = now;
        if (now.next().kind() == Call.Kind.FAILED) {
            wrong(name(host) + " ends with " + new String(now.next().bytes().all(),
                    java.nio.charset.StandardCharsets.UTF_8));
        }
    }

    /// Whether the host has begun to take the VM over, and goes on with that.
    boolean hasBegun(int host) {
        return Lives.hasMade(hosts[host], Call.Kind.BEGUN);
    }

    void fault() {
        truth = truth.fault();
    }

    private void wrong(String what) {
        truth = truth.wrong(what);
    }

    /// Makes a call on behalf of a host.
    Object make(int host, Call call) {
        return switch (call.kind()) {
            case LOAD -> memory.load(call.offset());
            case COPY_OUT -> {
                byte[] bytes = new byte[(int) call.b()];
                memory.copyOut(call.offset(), MemorySegment.ofArray(bytes), 0, bytes.length);
                yield new Bytes(bytes);
            }
            case STORE -> {
                stores(host, call);
                memory.store(call.offset(), call.a());
                yield "";
            }
            case CAS -> compareAndSet(host, call);
            case COPY_IN -> {
                stores(host, call);
                memory.copyIn(MemorySegment.ofArray(call.bytes().all()), 0, call.offset(), call.b());
                logged(host, call);
                yield "";
            }
            case COPY -> {
                stores(host, call);
                memory.copy(call.a(), call.offset(), call.b());
                yield "";
            }
            case ZERO -> {
                stores(host, call);
                memory.zero(call.offset(), call.b());
                yield "";
            }
            case TELL -> tell(host, call);
            case BEGUN -> {
                // Whoever has taken the VM from it meanwhile seals it.
                boolean stillHere = OwnerWord.epoch(memory.load(image.owner())) == call.a();
                truth = stillHere ? truth.begun(call.a()) : truth;
                yield "";
            }
            case EXECUTE -> execute(host, call);
            case RESUME -> resume(host, call);
            case ORDER, AWAIT, CHOOSE, END, FAILED -> throw new IllegalStateException("nobody makes " + call);
        };
    }

    private long epoch(int host) {
        return truth.epochs().get(host);
    }

    /// I2: nobody stores to the VM any more once somebody who took it over has.
    private void stores(int host, Call call) {
        long bytes = call.kind() == Call.Kind.STORE || call.kind() == Call.Kind.CAS ? 8 : call.b();
        if (image.isConstant(call.offset()) || image.isConstant(call.offset() + bytes - 8)) {
            boolean page = call.kind() == Call.Kind.COPY || call.kind() == Call.Kind.ZERO;
            if (!page || image.isConstant(call.offset())) {
                throw new IllegalStateException("beyond the bounds of the exploration: " + call);
            }
        }
        if (!image.isOwners(call.offset())) {
            return;
        }
        if (epoch(host) == 0) {
            wrong("I2: " + name(host) + " stores to the VM, which it has never owned");
        } else if (epoch(host) < truth.touched()) {
            wrong("I2: " + name(host) + " of epoch " + epoch(host) + " stores to the VM, which epoch "
                    + truth.touched() + " has taken over");
        } else if (epoch(host) > TakeoverLife.EPOCH) {
            truth = truth.touched(epoch(host));
        }
    }

    private Object compareAndSet(int host, Call call) {
        long offset = call.offset();
        if (memory.load(offset) != call.a()) {
            return false;
        }
        stores(host, call);
        memory.store(offset, call.b());
        if (offset == image.owner()) {
            List<Long> epochs = new ArrayList<>(truth.epochs());
            if (OwnerWord.epoch(call.b()) < OwnerWord.epoch(call.a())) {
                wrong("the owner's epoch goes back");
            }
            epochs.set(host, OwnerWord.epoch(call.b()));
            truth = truth.epochs(List.copyOf(epochs));
            if (OwnerWord.is(call.b(), OwnerState.RUNNING)) {
                verify(host);
            }
        } else if (offset == image.commit() && CommitWord.interval(call.a()) != CommitWord.interval(call.b())) {
            committed(host, call);
        }
        return true;
    }

    /// I3: no commit of who was sealed out, and what clients were told is in every state that is committed after it.
    private void committed(int host, Call call) {
        if (epoch(host) < truth.begun()) {
            wrong("I3: " + name(host) + " of epoch " + epoch(host) + " commits, though epoch " + truth.begun()
                    + " has taken the VM over");
        }
        if (CommitWord.interval(call.b()) <= CommitWord.interval(call.a())) {
            wrong("an interval's number goes back");
        }
        if (CommitWord.epochBits(call.b()) != (epoch(host) & EPOCHS)) {
            wrong("I3: " + name(host) + " commits under another epoch than its own");
        }
        long header = image.metadata(CommitWord.slot(call.b()));
        int length = (int) memory.load(header + 32);
        byte[] line = new byte[length];
        memory.copyOut(header + 64, MemorySegment.ofArray(line), 0, length);
        truth = truth.committed(new Bytes(line));
        requireTold("is committed");
    }

    private void requireTold(String what) {
        if (!isPrefix(truth.told(), truth.committed())) {
            wrong("I3: clients were told " + text(truth.told()) + ", and " + text(truth.committed()) + " " + what);
        }
    }

    static boolean isPrefix(Bytes shorter, Bytes longer) {
        byte[] begin = shorter.all();
        byte[] whole = longer.all();
        for (int i = 0; i < begin.length; i++) {
            if (i >= whole.length || begin[i] != whole[i]) {
                return false;
            }
        }
        return true;
    }

    static String text(Bytes line) {
        StringBuilder text = new StringBuilder("{");
        for (byte value : line.all()) {
            text.append(text.length() > 1 ? " " : "").append("page ").append(value & 1).append(" by epoch ")
                    .append((value >> 5 & 7) + TakeoverLife.EPOCH);
        }
        return text.append('}').toString();
    }

    /// Told before it is committed is wrong only once it is lost: who tells must not be the last to know it.
    private Object tell(int host, Call call) {
        Bytes line = call.bytes();
        if (isPrefix(truth.told(), line)) {
            truth = truth.told(line);
        }
        boolean overtaken = truth.begun() > epoch(host);
        if (overtaken && !isPrefix(line, truth.committed())) {
            wrong("I3: " + name(host) + " tells clients " + text(line) + ", and " + text(truth.committed())
                    + " is what the VM goes on from");
        }
        return "";
    }

    private Object execute(int host, Call call) {
        if (call.a() < truth.executed()) {
            wrong("I1: " + name(host) + " executes at epoch " + call.a() + ", and the VM was executed at epoch "
                    + truth.executed());
        }
        truth = truth.executed(call.a());
        return "";
    }

    /// What the new owner goes on with is what was committed, in its registers and in its memory.
    private Object resume(int host, Call call) {
        byte[] line = call.bytes().all();
        if (!isPrefix(truth.told(), call.bytes())) {
            wrong("I3: clients were told " + text(truth.told()) + ", and " + name(host) + " goes on from "
                    + text(call.bytes()));
        }
        for (int page = 0; page < TakeoverLife.PAGES; page++) {
            long found = memory.load(image.data(TakeoverLife.frameOf(memory, image, page)));
            if (found != TakeoverLife.contents(line, page)) {
                wrong("I5: " + name(host) + " goes on from " + text(call.bytes()) + ", and page " + page + " holds "
                        + found);
            }
        }
        return "";
    }

    /// An interval has one owner: its number is not used again.
    private void logged(int host, Call call) {
        if (!image.isLog(call.offset())) {
            return;
        }
        long number = memory.load(call.offset());
        if (number == truth.interval() && epoch(host) != truth.loggedBy()) {
            wrong("interval " + number + " of epoch " + truth.loggedBy() + " is used again by epoch " + epoch(host));
        }
        truth = truth.logged(number, epoch(host));
    }

    /// I4, by the product's own eyes, when the VM runs again.
    private void verify(int host) {
        VerifyReport report = RegionVerifier.verify(Region.over(memory, Path.of("explored")));
        if (!report.findings().isEmpty()) {
            wrong("I4: " + name(host) + " has taken the VM over, and " + report.findings().getFirst());
        }
    }
}
