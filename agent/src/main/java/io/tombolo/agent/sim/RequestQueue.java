package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.atomic.AtomicInteger;

/// The way of client requests into one VM: many submitters, drained by vCPU 0 at the start of a slice.
///
/// Bounded; a full queue answers [ReplyStatus#QUEUE_FULL] at once. A request leaves the queue exactly one way:
/// executed, or answered with a status that says it certainly was not. Replies are completed on the executor, never
/// on the vCPU's thread, so that what depends on a reply does not stretch a slice.
public final class RequestQueue implements Replies {
    /// Default bound: what one slice per 100 us can drain in about 3 ms.
    public static final int DEFAULT_CAPACITY = 1024;

    private final int capacity;
    private final Executor replies;
    private final AtomicInteger size = new AtomicInteger();
    private final ConcurrentLinkedQueue<Pending> queue = new ConcurrentLinkedQueue<>();
    private volatile boolean closed;

    public RequestQueue(int capacity, Executor replies) {
        if (capacity < 1) {
            throw new IllegalArgumentException("capacity is not positive: capacity=" + capacity);
        }
        this.capacity = capacity;
        this.replies = requireNonNull(replies, "replies is null");
    }

    /// A request on its way, and its answer to come.
    public static final class Pending {
        private final GuestRequest request;
        private final CompletableFuture<GuestReply> reply = new CompletableFuture<>();
        // 0 waits, 1 taken by the vCPU or answered
        private final AtomicInteger taken = new AtomicInteger();

        private Pending(GuestRequest request) {
            this.request = request;
        }

        GuestRequest request() {
            return request;
        }

        public CompletableFuture<GuestReply> reply() {
            return reply;
        }

        /// Takes the request back. True: it certainly will not be executed, and the reply never completes. False: it
        /// has been executed or is about to be, or was answered.
        public boolean withdraw() {
            return taken.compareAndSet(0, 1);
        }
    }

    /// Hands in a request; never blocks. The reply of the result completes exactly once, unless it is withdrawn.
    public Pending submit(GuestRequest request) {
        Pending pending = new Pending(requireNonNull(request, "request is null"));
        if (closed) {
            answer(pending, ReplyStatus.NOT_OWNER);
        } else if (size.incrementAndGet() > capacity) {
            size.decrementAndGet();
            answer(pending, ReplyStatus.QUEUE_FULL);
        } else {
            queue.add(pending);
            if (closed) {
                // leave() may have swept before the add; sweeping twice is harmless.
                sweep();
            }
        }
        return pending;
    }

    boolean isEmpty() {
        return size.get() == 0;
    }

    /// The next request for vCPU 0, null if there is none; withdrawn ones are dropped.
    Pending poll() {
        for (Pending next = queue.poll(); next != null; next = queue.poll()) {
            size.decrementAndGet();
            if (next.withdraw()) {
                return next;
            }
        }
        return null;
    }

    @Override
    public void complete(Pending pending, GuestReply reply) {
        later(() -> pending.reply.complete(reply));
    }

    void later(Runnable completion) {
        try {
            replies.execute(completion);
        } catch (RejectedExecutionException _) {
            // The agent is going down; the answer is right all the same.
            completion.run();
        }
    }

    private void answer(Pending pending, ReplyStatus status) {
        if (pending.withdraw()) {
            complete(pending, GuestReply.of(status, 0));
        }
    }

    /// The VM has left this host (or never was here): everything that waits, and everything that comes, is answered
    /// with [ReplyStatus#NOT_OWNER]. Call only while the vCPUs are stopped or gone. [#reopen] takes it back.
    public void leave() {
        closed = true;
        sweep();
    }

    /// The VM is here (again): requests are accepted.
    public void reopen() {
        closed = false;
    }

    private void sweep() {
        for (Pending next = queue.poll(); next != null; next = queue.poll()) {
            size.decrementAndGet();
            answer(next, ReplyStatus.NOT_OWNER);
        }
    }

    public int waiting() {
        return size.get();
    }
}
