package io.tombolo.chaos.explore;

import static java.util.Objects.requireNonNull;

import io.tombolo.chaos.explore.Call.Bytes;
import io.tombolo.chaos.explore.Call.Kind;
import io.tombolo.region.Memory;
import io.tombolo.region.TomboloException;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The states of one process that runs straight-line code of the product, as values: what the code does next is known
/// from the results of all its calls so far, so a state is a node in the tree of results. Where the tree has no node
/// yet, the code is run once more from its beginning, with the results that lead there, until it makes a call that is a
/// step of its own. The code must be the same every time: no clock, no chance, nothing kept outside.
final class Lives {
    /// What a process does.
    interface Life {
        void live(Port port);
    }

    /// What a call does to the world in which it is made.
    interface Effect {
        Object of(Call call);
    }

    /// A process that is no more.
    static final Node DEAD = new Node(null, "dead");

    static {
        DEAD.next = Call.of(Kind.END, 0);
    }

    private final RegionImage image;
    private final RegionImage before;
    private final Life life;
    private final Node first;
    private long replays;

    /// @param before the region as the code finds it until it calls [Port#begins]
    /// @param image  the region from then on
    Lives(RegionImage before, RegionImage image, Life life) {
        this.before = requireNonNull(before, "before is null");
        this.image = requireNonNull(image, "image is null");
        this.life = requireNonNull(life, "life is null");
        this.first = new Node(null, null);
        run(first, call -> {
            throw new AssertionError("a life begins with a step, not with " + call);
        });
    }

    /// One state.
    static final class Node {
        private final Node parent;
        private final Object result;
        private Call next;
        private Map<Object, Node> children = Map.of();

        private Node(Node parent, Object result) {
            this.parent = parent;
            this.result = result;
        }

        /// What it does next.
        Call next() {
            return next;
        }

        private Node child(Object of) {
            return children.get(of);
        }

        private Node added(Object of) {
            Node child = new Node(this, of);
            if (children.isEmpty()) {
                children = Map.of(of, child);
            } else {
                children = new HashMap<>(children);
                children.put(of, child);
            }
            return child;
        }
    }

    Node first() {
        return first;
    }

    long replays() {
        return replays;
    }

    /// Where the process is after the step that `result` is the outcome of.
    Node after(Node node, Object result, Effect effect) {
        Node at = node;
        Object outcome = result;
        while (true) {
            Node child = at.child(outcome);
            if (child == null) {
                return run(at.added(outcome), effect);
            }
            at = child;
            if (isStep(at.next)) {
                return at;
            }
            outcome = effect.of(at.next);
        }
    }

    /// Plain loads of what only one host at a time may store to are none: whoever stores there meanwhile is found out
    /// at the store.
    private boolean isStep(Call call) {
        return switch (call.kind()) {
            case LOAD -> image.isControl(call.offset());
            case COPY_OUT, BEGUN, EXECUTE, RESUME -> false;
            case STORE, CAS, COPY_IN, COPY, ZERO, ORDER, AWAIT, CHOOSE, TELL, END, FAILED -> true;
        };
    }

    private Node run(Node from, Effect effect) {
        replays++;
        ArrayDeque<Object> results = new ArrayDeque<>();
        for (Node at = from; at.parent != null; at = at.parent) {
            results.addFirst(at.result);
        }
        Port port = new Port(List.copyOf(results), from, effect);
        try {
            life.live(port);
            port.call(Call.of(Kind.END, 0));
        } catch (Stop _) {
            return port.at;
        } catch (TomboloException | IllegalStateException | IndexOutOfBoundsException e) {
            port.fail(e);
            return port.at;
        }
        throw new IllegalStateException("a life went on after its end");
    }

    /// Ends a run of the code; not an exception that the code could take for one of its own.
    private static final class Stop extends Error {
        private static final long serialVersionUID = 1;

        Stop() {
            super("stop", null, false, false);
        }
    }

    /// What the code sees of the world: the memory port, and questions.
    final class Port implements Memory {
        private final List<Object> results;
        private final Effect effect;
        private int told;
        private Node at;
        private Memory scratch = DraftMemory.untouched(before);
        private boolean stopped;

        private Port(List<Object> results, Node at, Effect effect) {
            this.results = results;
            this.at = at;
            this.effect = effect;
        }

        /// From here on calls are steps of the exploration.
        void begins() {
            scratch = null;
        }

        Object call(Call call) {
            if (stopped) {
                throw new Stop();
            }
            if (told < results.size()) {
                return results.get(told++);
            }
            at.next = call;
            if (isStep(call)) {
                stopped = true;
                throw new Stop();
            }
            Object result = effect.of(call);
            at = at.added(result);
            return result;
        }

        private void fail(RuntimeException e) {
            if (told < results.size()) {
                throw new IllegalStateException("a life is not the same every time", e);
            }
            stopped = true;
            at.next = new Call(Kind.FAILED, 0, 0, 0,
                    new Bytes(e.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8)));
        }

        private boolean isConstant(long offset, long count) {
            for (long word = offset & -8; word < offset + count; word += 8) {
                if (!image.isConstant(word)) {
                    return false;
                }
            }
            return true;
        }

        @Override
        public long bytes() {
            return image.bytes();
        }

        @Override
        public long load(long offset) {
            if (scratch != null) {
                return scratch.load(offset);
            }
            return image.isConstant(offset)
                    ? image.first(offset)
                    : (Long) call(new Call(Kind.LOAD, offset, 0, 0, null));
        }

        @Override
        public long loadAcquire(long offset) {
            return load(offset);
        }

        @Override
        public void store(long offset, long value) {
            if (scratch != null) {
                scratch.store(offset, value);
                return;
            }
            call(new Call(Kind.STORE, offset, value, 0, null));
        }

        @Override
        public void storeRelease(long offset, long value) {
            store(offset, value);
        }

        @Override
        public boolean compareAndSet(long offset, long expect, long next) {
            return scratch != null
                    ? scratch.compareAndSet(offset, expect, next)
                    : (Boolean) call(new Call(Kind.CAS, offset, expect, next, null));
        }

        @Override
        public void copyIn(MemorySegment source, long sourceOffset, long offset, long count) {
            if (scratch != null) {
                scratch.copyIn(source, sourceOffset, offset, count);
                return;
            }
            byte[] bytes = new byte[(int) count];
            MemorySegment.copy(source, sourceOffset, MemorySegment.ofArray(bytes), 0, count);
            call(new Call(Kind.COPY_IN, offset, 0, count, new Bytes(bytes)));
        }

        /// Of a VM's slot only what never changes is read in bulk: its identity, and where its log is.
        @Override
        public void copyOut(long offset, MemorySegment target, long targetOffset, long count) {
            if (scratch != null) {
                scratch.copyOut(offset, target, targetOffset, count);
                return;
            }
            boolean slot = offset >= image.layout().vmOffset() && offset < image.layout().metadataOffset();
            if (slot || isConstant(offset, count)) {
                DraftMemory.untouched(image).copyOut(offset, target, targetOffset, count);
                return;
            }
            Bytes bytes = (Bytes) call(new Call(Kind.COPY_OUT, offset, 0, count, null));
            MemorySegment.copy(MemorySegment.ofArray(bytes.all()), 0, target, targetOffset, count);
        }

        @Override
        public void copy(long fromOffset, long toOffset, long count) {
            if (scratch != null) {
                scratch.copy(fromOffset, toOffset, count);
                return;
            }
            call(new Call(Kind.COPY, toOffset, fromOffset, count, null));
        }

        @Override
        public void zero(long offset, long count) {
            if (scratch != null) {
                scratch.zero(offset, count);
                return;
            }
            call(new Call(Kind.ZERO, offset, 0, count, null));
        }

        @Override
        public void writeBack(long offset, long count) {
            // Hosts die as processes do: crash kind P.
        }

        @Override
        public void fence() {
            // Every call is a step, in program order.
        }

        @Override
        public boolean isAlwaysDurable() {
            return true;
        }

        @Override
        public MemorySegment segment(long offset, long count) {
            return MemorySegment.ofArray(new byte[0]);
        }
    }

    /// Whether the process has made a call of that kind since it was last told to do something.
    static boolean hasMade(Node node, Kind kind) {
        for (Node at = node.parent; at != null && at.next.kind() != Kind.ORDER; at = at.parent) {
            if (at.next.kind() == kind) {
                return true;
            }
        }
        return false;
    }
}
