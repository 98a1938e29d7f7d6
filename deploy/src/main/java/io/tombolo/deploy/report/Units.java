package io.tombolo.deploy.report;

import io.tombolo.deploy.DeployError;
import io.tombolo.region.TomboloException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Sizes and durations as a person writes and reads them. Parsing is strict: no sign, no fraction, no blank, no unit
/// that is not listed, so that `1g` or `10` with a forgotten unit is an error and not a surprise.
public final class Units {
    private static final Pattern SIZE = Pattern.compile("([0-9]{1,18})([KMGT]?)");
    private static final Pattern DURATION = Pattern.compile("([0-9]{1,18})(ns|us|ms|s|m|h)");

    private Units() {
    }

    /// `4096`, `64K`, `512M`, `1G`, `2T`; binary multiples; bytes.
    ///
    /// @throws TomboloException `SIZE_INVALID` also for 0 and for what does not fit a long
    public static long parseBytes(String text) {
        Matcher matcher = SIZE.matcher(text);
        if (matcher.matches()) {
            long number = Long.parseLong(matcher.group(1));
            int shift = switch (matcher.group(2)) {
                case "K" -> 10;
                case "M" -> 20;
                case "G" -> 30;
                case "T" -> 40;
                default -> 0;
            };
            if (number > 0 && number <= Long.MAX_VALUE >> shift) {
                return number << shift;
            }
        }
        throw TomboloException.error(DeployError.SIZE_INVALID, "not a size").fact("found", text)
                .fact("expected", "a positive whole number of bytes with an optional K, M, G or T")
                .next("write it like 4096, 512M or 1G").build();
    }

    /// `500us`, `5ms`, `2s`, `1m`; nanoseconds.
    ///
    /// @throws TomboloException `DURATION_INVALID` also without a unit, for 0 and for what does not fit a long
    public static long parseNanos(String text) {
        Matcher matcher = DURATION.matcher(text);
        if (matcher.matches()) {
            long number = Long.parseLong(matcher.group(1));
            long unitNs = switch (matcher.group(2)) {
                case "us" -> 1_000L;
                case "ms" -> 1_000_000L;
                case "s" -> 1_000_000_000L;
                case "m" -> 60_000_000_000L;
                case "h" -> 3_600_000_000_000L;
                default -> 1L;
            };
            if (number > 0 && number <= Long.MAX_VALUE / unitNs) {
                return number * unitNs;
            }
        }
        throw TomboloException.error(DeployError.DURATION_INVALID, "not a duration").fact("found", text)
                .fact("expected", "a positive whole number with ns, us, ms, s, m or h")
                .next("write it like 500us, 5ms or 2s").build();
    }

    /// `1 GiB`, `1.5 MiB`, `17 B`; at most one digit after the point.
    public static String bytes(long bytes) {
        String[] names = {"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
        int unit = 0;
        double value = bytes;
        while (value >= 1024 && unit < names.length - 1) {
            value /= 1024;
            unit++;
        }
        return number(value, 1) + " " + names[unit];
    }

    /// `850 ns`, `2.55 us`, `1.2 ms`, `3.4 s`.
    public static String nanos(long ns) {
        if (ns < 1_000) {
            return ns + " ns";
        }
        if (ns < 1_000_000) {
            return number(ns / 1e3, 2) + " us";
        }
        if (ns < 1_000_000_000) {
            return number(ns / 1e6, 2) + " ms";
        }
        return number(ns / 1e9, 2) + " s";
    }

    /// `850`, `2.55 k`, `1.2 M`, `3.4 G`: of operations, decimal multiples.
    public static String count(long number) {
        if (number < 1_000) {
            return Long.toString(number);
        }
        if (number < 1_000_000) {
            return number(number / 1e3, 2) + " k";
        }
        if (number < 1_000_000_000) {
            return number(number / 1e6, 1) + " M";
        }
        return number(number / 1e9, 2) + " G";
    }

    /// Without zeros at the end, so that a whole number looks like one.
    public static String number(double value, int digits) {
        String text = String.format(Locale.ROOT, "%." + digits + "f", value);
        return text.contains(".") ? text.replaceAll("0+$", "").replaceAll("\\.$", "") : text;
    }
}
