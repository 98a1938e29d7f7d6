package io.tombolo.agent;

import static org.assertj.core.api.Assertions.assertThat;

import io.tombolo.agent.hypervisor.GuestError;
import io.tombolo.coordinator.wire.AgentRequest.GuestCall;
import io.tombolo.coordinator.wire.GuestStatus;
import io.tombolo.coordinator.wire.Reply.GuestReply;
import io.tombolo.region.CommitWord;
import io.tombolo.region.ErrorCode;
import io.tombolo.region.TomboloException;
import io.tombolo.region.VmSlot;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.function.Function;

/// Clients of a `kv` guest, each with a key of its own, to which it writes growing numbers, one at a time, with repeats
/// under the same number when nobody knows what became of a request. They look at the commit word whenever a reply
/// comes: it has to be covered.
final class ProtectedClients implements AutoCloseable {
    private final VmSlot slot;
    private final Function<GuestCall, CompletableFuture<GuestReply>> send;
    private final Thread[] threads;
    final AtomicLongArray sent;
    final AtomicLongArray acknowledged;
    final AtomicLong acknowledgements = new AtomicLong();
    final AtomicLong unknown = new AtomicLong();
    /// Raised before the protection of the VM ends, and when it has begun again: that one counts its intervals from 1.
    final AtomicLong lives = new AtomicLong();
    final ConcurrentLinkedQueue<String> wrong = new ConcurrentLinkedQueue<>();
    private volatile boolean stop;

    ProtectedClients(VmSlot slot, int clients, Function<GuestCall, CompletableFuture<GuestReply>> send) {
        this.slot = slot;
        this.send = send;
        this.sent = new AtomicLongArray(clients);
        this.acknowledged = new AtomicLongArray(clients);
        this.threads = new Thread[clients];
        for (int i = 0; i < clients; i++) {
            int client = i;
            threads[i] = Thread.ofPlatform().daemon().name("client-" + i).start(() -> run(client));
        }
    }

    private void run(int client) {
        try {
            while (!stop) {
                long value = sent.incrementAndGet(client);
                while (!stop && !write(client, value)) {
                    ProtectedHosts.pause();
                }
            }
        } catch (RuntimeException | AssertionError e) {
            wrong.add("client " + client + ": " + e);
        }
    }

    /// Whether it was acknowledged.
    private boolean write(int client, long value) {
        long life = lives.get();
        long before = slot.commitAcquire();
        CompletableFuture<GuestReply> reply = send
                .apply(new GuestCall("vm", client + 1, value, "kv_write", List.of(client + 1L, value)));
        boolean[] done = new boolean[1];
        try {
            // On the thread that completes it.
            reply.thenAccept(answer -> {
                long after = slot.commitAcquire();
                if (CommitWord.isProtected(before) && CommitWord.isProtected(after)
                        && life % 2 == 0 && lives.get() == life
                        && CommitWord.interval(after) <= CommitWord.interval(before)) {
                    wrong.add("a reply left before its commit: asked at " + CommitWord.describe(before)
                            + ", answered at " + CommitWord.describe(after));
                }
                if (answer.status() == GuestStatus.OK) {
                    acknowledged.set(client, value);
                    acknowledgements.incrementAndGet();
                    done[0] = true;
                } else {
                    wrong.add("client " + client + ": " + answer);
                }
            }).join();
        } catch (CompletionException e) {
            ErrorCode code = e.getCause() instanceof TomboloException known ? known.code() : null;
            if (code == GuestError.GUEST_OUTCOME_UNKNOWN) {
                unknown.incrementAndGet();
            } else if (code == null) {
                wrong.add("client " + client + ": " + e.getCause());
            }
        }
        return done[0];
    }

    /// Nothing that was acknowledged is lost, and nothing that was not sent is there.
    void check(Function<GuestCall, CompletableFuture<GuestReply>> reader) {
        for (int client = 0; client < threads.length; client++) {
            GuestReply answer = ProtectedHosts.join(reader
                    .apply(new GuestCall("vm", 0, 0, "kv_read", List.of(client + 1L))));
            long found = answer.status() == GuestStatus.OK ? answer.values().getFirst() : 0;
            assertThat(found).as("client %d", client).isBetween(acknowledged.get(client), sent.get(client));
        }
    }

    @Override
    public void close() {
        finish();
    }

    /// Ends the clients; what they saw was right.
    void finish() {
        stop = true;
        for (Thread thread : threads) {
            try {
                thread.join(ProtectedHosts.PATIENCE.toMillis());
            } catch (InterruptedException _) {
                Thread.currentThread().interrupt();
            }
        }
        assertThat(wrong).isEmpty();
    }
}
