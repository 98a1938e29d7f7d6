package io.tombolo.chaos.planted;

import java.lang.reflect.InvocationTargetException;

/// A chaos run's agent with the bug that the system property [#BUG] names. It is on the class path of tests only.
public final class PlantedAgent {
    /// Name of a [RealBug].
    static final String BUG = "tombolo.planted";

    private PlantedAgent() {
    }

    /// Runs it until it ends.
    ///
    /// @param args as of [io.tombolo.chaos.ChaosAgent]
    public static void main(String[] args) throws ReflectiveOperationException {
        RealBug bug = RealBug.valueOf(System.getProperty(BUG));
        PlantedLoader loader = new PlantedLoader(bug, PlantedAgent.class.getClassLoader());
        Thread.currentThread().setContextClassLoader(loader);
        try {
            loader.loadClass("io.tombolo.chaos.ChaosAgent").getMethod("main", String[].class)
                    .invoke(null, (Object) args);
        } catch (InvocationTargetException e) {
            throw new IllegalStateException(bug + " cannot be planted", e.getCause());
        }
    }
}
