package io.tombolo.deploy;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Map;
import java.util.Properties;
import java.util.TreeMap;

/// Versions of this program and of what it stands on, from the class path.
public final class Version {
    private Version() {
    }

    /// Version of Tombolo, as the build wrote it.
    public static String tombolo() {
        return properties("/io/tombolo/deploy/version.properties").getProperty("version", "unknown");
    }

    /// Name to version, in order of names; nothing is started to find them out.
    public static Map<String, String> all() {
        Map<String, String> versions = new TreeMap<>();
        versions.put("tombolo", tombolo());
        versions.put("java", Runtime.version().toString());
        versions.put("zookeeper", maven("org.apache.zookeeper", "zookeeper"));
        versions.put("curator", maven("org.apache.curator", "curator-recipes"));
        versions.put("netty", maven("io.netty", "netty-common"));
        versions.put("kryo", maven("com.esotericsoftware", "kryo"));
        return versions;
    }

    private static String maven(String group, String artifact) {
        return properties("/META-INF/maven/" + group + "/" + artifact + "/pom.properties").getProperty("version",
                "unknown");
    }

    private static Properties properties(String resource) {
        Properties properties = new Properties();
        try (InputStream in = Version.class.getResourceAsStream(resource)) {
            if (in != null) {
                properties.load(in);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + resource, e);
        }
        return properties;
    }
}
