package io.tombolo.agent.handoff;

import static java.util.Objects.requireNonNull;

import io.tombolo.agent.pages.GuestCopier;
import io.tombolo.coordinator.wire.AgentRequest.CopyPages;
import io.tombolo.coordinator.wire.AgentRequest.CopyRun;
import io.tombolo.coordinator.wire.Bytes;
import io.tombolo.coordinator.wire.Errors;
import io.tombolo.coordinator.wire.WireLimits;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Function;

/// Packs pages into messages and keeps a few of them on their way. Guest memory is read once, by [GuestCopier], into
/// the bytes of the message; pages of zeros are found there and become a flag. For one thread at a time.
final class PageSender {
    /// 4 KiB, whatever the size of the VM's pages.
    static final int UNIT_BYTES = 4096;
    /// Enough that neither side waits for the other, and 4 MiB at most.
    private static final int ON_THEIR_WAY = 4;
    /// Of zeros, so that a message, and with it a look at a cancel, does not take long.
    private static final int UNITS_OF_A_MESSAGE = 8_192;
    private static final MemorySegment ZEROS = MemorySegment.ofArray(new byte[UNIT_BYTES]).asReadOnly();

    private final GuestCopier copier;
    private final Function<CopyPages, CompletableFuture<?>> wire;
    private final long intentSeq;
    private final int vmSlot;
    private final long epoch;
    private final ArrayDeque<CompletableFuture<?>> pending = new ArrayDeque<>();
    private final List<CopyRun> runs = new ArrayList<>();
    private byte[] buffer = new byte[WireLimits.MAX_COPY_BYTES];
    private int filled;
    private int units;
    private long bytesSent;

    /// What was to be sent is not sent, or not acknowledged.
    static final class NotSentException extends Exception {
        private static final long serialVersionUID = 1;

        NotSentException(String reason, Throwable cause) {
            super(reason, cause);
        }
    }

    PageSender(GuestCopier copier, Function<CopyPages, CompletableFuture<?>> wire, long intentSeq, int vmSlot,
            long epoch) {
        this.copier = requireNonNull(copier, "copier is null");
        this.wire = requireNonNull(wire, "wire is null");
        this.intentSeq = intentSeq;
        this.vmSlot = vmSlot;
        this.epoch = epoch;
    }

    /// Bytes of page contents sent so far.
    long bytesSent() {
        return bytesSent;
    }

    /// Adds one page; sends a message when one is full.
    ///
    /// @param firstUnit address of the page in the guest, in units
    /// @param goOn      asked while it waits
    void add(MemorySegment tier, long offset, long firstUnit, int pageUnits, BooleanSupplier goOn, long askNs)
            throws NotSentException {
        for (int i = 0; i < pageUnits; i++) {
            copier.load(tier, offset + (long) i * UNIT_BYTES, MemorySegment.ofArray(buffer), filled, UNIT_BYTES);
            boolean zero = MemorySegment.mismatch(MemorySegment.ofArray(buffer), filled, filled + UNIT_BYTES, ZEROS, 0,
                    UNIT_BYTES) < 0;
            if (!zero) {
                filled += UNIT_BYTES;
            }
            note(firstUnit + i, zero);
            if (filled == buffer.length || runs.size() == WireLimits.MAX_COPY_RUNS
                    || units == UNITS_OF_A_MESSAGE) {
                send(goOn, askNs);
            }
        }
    }

    private void note(long unit, boolean zero) {
        units++;
        if (!runs.isEmpty()) {
            CopyRun last = runs.getLast();
            if (last.zero() == zero && last.first() + last.count() == unit) {
                runs.set(runs.size() - 1, new CopyRun(last.first(), last.count() + 1, zero));
                return;
            }
        }
        runs.add(new CopyRun(unit, 1, zero));
    }

    private void send(BooleanSupplier goOn, long askNs) throws NotSentException {
        if (runs.isEmpty()) {
            return;
        }
        while (pending.size() >= ON_THEIR_WAY) {
            await(pending.remove(), goOn, askNs);
        }
        byte[] bytes = buffer;
        if (filled < bytes.length) {
            bytes = Arrays.copyOf(buffer, filled);
        } else {
            buffer = new byte[WireLimits.MAX_COPY_BYTES];
        }
        bytesSent += filled;
        pending.add(wire.apply(new CopyPages(intentSeq, vmSlot, epoch, runs, Bytes.owning(bytes))));
        runs.clear();
        filled = 0;
        units = 0;
    }

    /// Sends what is not full either, and waits until all is acknowledged.
    void flush(BooleanSupplier goOn, long askNs) throws NotSentException {
        send(goOn, askNs);
        while (!pending.isEmpty()) {
            await(pending.remove(), goOn, askNs);
        }
    }

    /// Waits for one answer.
    static void await(CompletableFuture<?> answer, BooleanSupplier goOn, long askNs) throws NotSentException {
        while (!isThere(answer, askNs)) {
            if (!goOn.getAsBoolean()) {
                throw new NotSentException("given up", null);
            }
        }
    }

    private static boolean isThere(CompletableFuture<?> answer, long waitNs) throws NotSentException {
        try {
            answer.get(waitNs, TimeUnit.NANOSECONDS);
            return true;
        } catch (TimeoutException _) {
            return false;
        } catch (ExecutionException e) {
            throw new NotSentException(Errors.unwrap(e).getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new NotSentException("interrupted", e);
        }
    }
}
