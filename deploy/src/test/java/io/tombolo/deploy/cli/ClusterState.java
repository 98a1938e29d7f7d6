package io.tombolo.deploy.cli;

import io.tombolo.region.HostState;
import io.tombolo.region.OpenOptions;
import io.tombolo.region.OwnerState;
import io.tombolo.region.OwnerWord;
import io.tombolo.region.Region;
import io.tombolo.region.RegionInspector;
import io.tombolo.region.RegionVerifier;
import io.tombolo.region.SlotWord;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;

/// Everything of a cluster that a refused command must leave alone: all bytes of the region's control area (not the
/// memory of guests, which run), and every znode of the tree with its version and contents. Left out are slots that are
/// free: their counters rise at every attempt, because an epoch or an incarnation never comes twice.
///
/// @param control a checksum of each KiB of the control area, by offset, where it is not zero
/// @param znodes  version and contents by path
/// @param findings what verify says, as text; empty for a sound region
record ClusterState(Map<Long, Long> control, Map<String, String> znodes, String findings) {
    /// The size of a host slot, and half that of a VM slot.
    private static final int LINE = 1024;
    private static final long ZEROS = zeros();
    private static final int SESSION_MS = 10_000;

    static ClusterState read(Path region, String zookeeper, String root) {
        try {
            return new ClusterState(control(region), znodes(zookeeper, root),
                    RegionVerifier.verify(region).findings().toString().replace("[]", ""));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(e);
        } catch (KeeperException e) {
            throw new AssertionError(e);
        }
    }

    private static long zeros() {
        CRC32C crc = new CRC32C();
        crc.update(new byte[LINE]);
        return crc.getValue();
    }

    private static Map<Long, Long> control(Path file) throws IOException {
        long end;
        Set<Long> free = new HashSet<>();
        try (Region region = Region.open(file, OpenOptions.inspect())) {
            end = region.superblock().dataOffset();
            RegionInspector inspector = RegionInspector.of(region);
            for (int slot = 0; slot < region.hostSlots(); slot++) {
                if (SlotWord.state(region.host(slot).wordAcquire()) == HostState.FREE) {
                    free.add(inspector.host(slot).offset() / LINE);
                }
            }
            for (int slot = 0; slot < region.vmSlots(); slot++) {
                if (OwnerWord.state(region.vm(slot).ownerAcquire()) == OwnerState.FREE) {
                    free.add(inspector.vm(slot).offset() / LINE);
                    free.add(inspector.vm(slot).offset() / LINE + 1);
                }
            }
        }
        Map<Long, Long> pages = new TreeMap<>();
        try (FileChannel channel = FileChannel.open(file)) {
            MappedByteBuffer bytes = channel.map(FileChannel.MapMode.READ_ONLY, 0, end);
            for (int at = 0; at < end; at += LINE) {
                if (!free.contains((long) at / LINE)) {
                    CRC32C crc = new CRC32C();
                    crc.update(bytes.slice(at, LINE));
                    if (crc.getValue() != ZEROS) {
                        pages.put((long) at, crc.getValue());
                    }
                }
            }
        }
        return pages;
    }

    // ZooKeeper's close may be interrupted, and then so is the test.
    @SuppressWarnings("try")
    private static Map<String, String> znodes(String connect, String root)
            throws IOException, InterruptedException, KeeperException {
        CountDownLatch connected = new CountDownLatch(1);
        try (ZooKeeper zookeeper = new ZooKeeper(connect, SESSION_MS, event -> {
            if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
                connected.countDown();
            }
        })) {
            if (!connected.await(SESSION_MS, TimeUnit.MILLISECONDS)) {
                throw new AssertionError("no ZooKeeper at " + connect);
            }
            Map<String, String> found = new TreeMap<>();
            collect(zookeeper, root, found);
            return found;
        }
    }

    private static void collect(ZooKeeper zookeeper, String path, Map<String, String> found)
            throws InterruptedException, KeeperException {
        Stat stat = new Stat();
        try {
            byte[] data = zookeeper.getData(path, false, stat);
            found.put(path, stat.getVersion() + " " + text(data));
            List<String> children = zookeeper.getChildren(path, false);
            for (String child : children) {
                collect(zookeeper, path + "/" + child, found);
            }
        } catch (KeeperException.NoNodeException _) {
            // Went while we looked: it is not there.
            found.remove(path);
        }
    }

    private static String text(byte[] data) {
        if (data == null) {
            return "";
        }
        String text = new String(data, StandardCharsets.UTF_8);
        return text.chars().allMatch(c -> c >= ' ' && c < 127) ? text : Base64.getEncoder().encodeToString(data);
    }
}
