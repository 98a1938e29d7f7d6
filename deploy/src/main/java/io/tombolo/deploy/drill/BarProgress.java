package io.tombolo.deploy.drill;

import static java.util.Objects.requireNonNull;

import java.io.PrintWriter;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/// Progress on a terminal: parts as lines, counted things as a bar on standard error.
public final class BarProgress implements DrillProgress {
    private static final int UPDATE_MS = 100;

    private final PrintWriter err;
    private final String counted;
    private ProgressBar bar;

    public BarProgress(PrintWriter err) {
        this(err, "hops");
    }

    /// @param counted name of what is counted
    public BarProgress(PrintWriter err, String counted) {
        this.err = requireNonNull(err, "err is null");
        this.counted = requireNonNull(counted, "counted is null");
    }

    @Override
    public void step(String what) {
        endBar();
        err.println(what);
        err.flush();
    }

    @Override
    public void count(long done, long total, String detail) {
        if (bar == null) {
            bar = new ProgressBarBuilder().setTaskName(counted).setInitialMax(total).setUpdateIntervalMillis(UPDATE_MS)
                    .setStyle(ProgressBarStyle.ASCII).build();
        }
        bar.stepTo(done);
        bar.setExtraMessage(" " + detail);
        if (done == total) {
            endBar();
        }
    }

    private void endBar() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    @Override
    public void close() {
        endBar();
    }
}
