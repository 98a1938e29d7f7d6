package io.tombolo.deploy.cli;

import io.tombolo.coordinator.wire.PageStatus;
import java.util.ArrayList;
import java.util.List;

/// Pages of a query as runs of equal ones, so that a gibibyte of the same is one line. Not thread safe.
final class PageRunList implements VmPagesClient.Pages {
    private static final int ACCESSED = 1;
    private static final int DIRTY = 2;

    private final List<Run> runs = new ArrayList<>();
    private long first;
    private long count;
    private int status;
    private int bits;

    /// Pages that are alike.
    ///
    /// @param status name of the tier or of the errno
    record Run(long first, long count, String status, boolean accessed, boolean dirty) {
        String text() {
            return PageRange.text(first, count) + " " + status + (accessed ? " accessed" : "")
                    + (dirty ? " dirty" : "");
        }
    }

    @Override
    public void page(long page, int newStatus, int newBits) {
        if (count == 0 || page != first + count || newStatus != status || newBits != bits) {
            flush();
            first = page;
            status = newStatus;
            bits = newBits;
        }
        count++;
    }

    private void flush() {
        if (count > 0) {
            runs.add(new Run(first, count, PageStatus.text(status), (bits & ACCESSED) != 0, (bits & DIRTY) != 0));
            count = 0;
        }
    }

    List<Run> runs() {
        flush();
        return List.copyOf(runs);
    }
}
