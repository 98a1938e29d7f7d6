package io.tombolo.region;

import java.nio.file.Path;

/// What format made.
public record RegionInfo(Path file, Superblock superblock) {
}
