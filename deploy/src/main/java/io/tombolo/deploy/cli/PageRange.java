package io.tombolo.deploy.cli;

import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A range of pages as a person writes it: `5`, `0-1023` with both ends, `4096+512` with a count, `all`.
///
/// @param text  as it was written
/// @param first its first page
/// @param count how many; [#ALL] for those until the end
record PageRange(String text, long first, long count) {
    static final long ALL = -1;
    private static final Pattern FORM = Pattern.compile("([0-9]{1,15})(?:([-+])([0-9]{1,15}))?");

    /// @throws TomboloException `PAGE_RANGE_INVALID`
    static PageRange parse(String text) {
        if (text.equals("all")) {
            return new PageRange(text, 0, ALL);
        }
        Matcher matcher = FORM.matcher(text);
        if (!matcher.matches()) {
            throw invalid(text, "5, 0-1023, 4096+512 or all");
        }
        long first = Long.parseLong(matcher.group(1));
        if (matcher.group(2) == null) {
            return new PageRange(text, first, 1);
        }
        long second = Long.parseLong(matcher.group(3));
        if (matcher.group(2).equals("+")) {
            if (second == 0) {
                throw invalid(text, "a count from 1");
            }
            return new PageRange(text, first, second);
        }
        if (second < first) {
            throw invalid(text, "a last page that is not before the first");
        }
        return new PageRange(text, first, second - first + 1);
    }

    private static TomboloException invalid(String text, String expected) {
        return TomboloException.error(DeployError.PAGE_RANGE_INVALID, "not a range of pages").fact("found", text)
                .fact("expected", expected).next("correct it and repeat the command").build();
    }

    /// The same of a VM with so many pages.
    ///
    /// @throws TomboloException `PAGE_RANGE_PAST_END`
    PageRange of(String vm, long pages) {
        long length = count == ALL ? pages : count;
        if (first + length > pages) {
            throw TomboloException.error(DeployError.PAGE_RANGE_PAST_END, "the VM has no such pages").fact("vm", vm)
                    .fact("range", text).fact("pages", pages)
                    .next("the last page is " + (pages - 1) + "; correct the range").build();
        }
        return new PageRange(text, first, length);
    }

    /// As people read it.
    static String text(long first, long count) {
        return count == 1 ? Long.toString(first) : first + "-" + (first + count - 1);
    }
}
