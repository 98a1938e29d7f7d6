package io.tombolo.deploy.drill;

/// Told how far a drill is. Called by the thread that runs it.
public interface DrillProgress extends AutoCloseable {
    /// The next part begins.
    void step(String what);

    /// A part that consists of counted things goes on.
    void count(long done, long total, String detail);

    @Override
    void close();

    /// Tells nobody.
    static DrillProgress silent() {
        return new DrillProgress() {
            @Override
            public void step(String what) {
                // nobody listens
            }

            @Override
            public void count(long done, long total, String detail) {
                // nobody listens
            }

            @Override
            public void close() {
                // holds nothing
            }
        };
    }
}
