package io.tombolo.deploy.cli;

import io.tombolo.deploy.report.Units;
import picocli.CommandLine.ITypeConverter;

/// As [SizeConverter], and 0 for nothing.
final class LocalSizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
        return value.equals("0") ? 0L : Units.parseBytes(value);
    }
}
