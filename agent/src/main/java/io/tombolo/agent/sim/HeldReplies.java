package io.tombolo.agent.sim;

import static java.util.Objects.requireNonNull;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/// Replies to clients that wait for the commit of the interval in which they were made (group commit). Written by vCPU
/// 0 when it executes requests, given out by whoever commits, while no vCPU executes.
///
/// Thread safe.
final class HeldReplies implements Replies {
    /// More than this are not made without a commit in between: what a few milliseconds of requests are.
    private static final int MOST = 4 * RequestQueue.DEFAULT_CAPACITY;
    /// Room for the requests of one slice.
    private static final int NEARLY = MOST - 64;

    private record Held(RequestQueue.Pending pending, GuestReply reply) {
    }

    private final RequestQueue requests;
    private List<Held> held = new ArrayList<>();
    /// How many, for looks that cost nothing.
    private volatile int count;

    HeldReplies(RequestQueue requests) {
        this.requests = requireNonNull(requests, "requests is null");
    }

    @Override
    public synchronized void complete(RequestQueue.Pending pending, GuestReply reply) {
        held.add(new Held(pending, reply));
        count = held.size();
    }

    boolean areTooMany() {
        return count > NEARLY;
    }

    /// The commit that covers them has won.
    synchronized void leave() {
        if (held.isEmpty()) {
            return;
        }
        List<Held> out = held;
        held = new ArrayList<>();
        count = 0;
        requests.later(() -> out.forEach(each -> each.pending.reply().complete(each.reply)));
    }

    /// No commit will cover them on this host: nobody here knows whether they were executed.
    synchronized void fail(Supplier<? extends RuntimeException> why) {
        List<Held> out = held;
        held = new ArrayList<>();
        count = 0;
        requests.later(() -> out.forEach(each -> each.pending.reply().completeExceptionally(why.get())));
    }
}
