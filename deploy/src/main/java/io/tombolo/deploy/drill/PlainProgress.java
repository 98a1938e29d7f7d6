package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import java.io.PrintWriter;
import java.util.function.LongSupplier;

/// Progress as lines, for a log or a pipe: every part, and counted things at most once a second.
public final class PlainProgress implements DrillProgress {
    private static final long PERIOD_NS = 1_000_000_000L;

    private final PrintWriter err;
    private final LongSupplier nowNs;
    private final long startNs;
    private long lastNs;

    public PlainProgress(PrintWriter err, LongSupplier nowNs) {
        this.err = requireNonNull(err, "err is null");
        this.nowNs = requireNonNull(nowNs, "nowNs is null");
        this.startNs = nowNs.getAsLong();
        this.lastNs = startNs;
    }

    @Override
    public void step(String what) {
        print(what);
    }

    @Override
    public void count(long done, long total, String detail) {
        if (done == total || nowNs.getAsLong() - lastNs >= PERIOD_NS) {
            print(done + "/" + total + " " + detail);
        }
    }

    private void print(String text) {
        lastNs = nowNs.getAsLong();
        err.printf("%6.1f s  %s%n", (lastNs - startNs) / 1e9, text);
        err.flush();
    }

    @Override
    public void close() {
        err.flush();
    }
}
