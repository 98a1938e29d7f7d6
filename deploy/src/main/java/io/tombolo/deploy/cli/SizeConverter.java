package io.tombolo.deploy.cli;

import io.tombolo.deploy.report.Units;
import picocli.CommandLine.ITypeConverter;

/// Sizes on the command line, in bytes; see [Units#parseBytes].
final class SizeConverter implements ITypeConverter<Long> {
    @Override
    public Long convert(String value) {
        return Units.parseBytes(value);
    }
}
