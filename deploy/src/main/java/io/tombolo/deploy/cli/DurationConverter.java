package io.tombolo.deploy.cli;

import io.tombolo.deploy.report.Units;
import picocli.CommandLine.ITypeConverter;

/// Durations on the command line, in nanoseconds; see [Units#parseNanos].
final class DurationConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
        return Units.parseNanos(value);
    }
}
