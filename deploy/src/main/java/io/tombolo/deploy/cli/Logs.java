package io.tombolo.deploy.cli;

/// Which logging configuration the process gets. Must be called before anything logs: logback reads its configuration
/// once.
final class Logs {
    private Logs() {
    }

    /// Everything from INFO on, to standard error.
    static void forDaemon() {
        if (System.getProperty("logback.configurationFile") == null) {
            System.setProperty("logback.configurationFile", "io/tombolo/deploy/logback-daemon.xml");
        }
    }
}
