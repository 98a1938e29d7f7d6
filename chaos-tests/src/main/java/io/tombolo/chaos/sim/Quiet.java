package io.tombolo.chaos.sim;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import org.slf4j.LoggerFactory;

/// What the product logs of a simulated world's deaths and lapses is no news in this process.
final class Quiet {
    private Quiet() {
    }

    static void please() {
        if (LoggerFactory.getLogger("io.tombolo") instanceof Logger logger) {
            logger.setLevel(Level.OFF);
        }
    }
}
