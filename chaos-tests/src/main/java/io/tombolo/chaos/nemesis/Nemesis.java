package io.tombolo.chaos.nemesis;

import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/// One kind of fault. It begins and ends; in between, others may begin and end. All methods are called by one thread.
public interface Nemesis {
    /// One word, as on the command line.
    String name();

    /// Everything that has to be decided to begin, chosen by the seed alone: what is said here is the same in every run
    /// of the seed. Which process is the leader by then is found out when it is done.
    Map<String, Object> choose(SplittableRandom random);

    /// Begins.
    ///
    /// @return what was done to whom, for the history
    Object begin(Map<String, Object> chosen);

    /// Ends what was begun; also called when nothing was.
    ///
    /// @return what was done
    Object end();

    /// Whether what was begun last has hit what it was to hit; asked after [#end]. A fault that missed is counted as
    /// begun and not as one that took effect.
    boolean tookEffect();

    /// How long it should last, of the usual time; a fault that is over when it has begun is 0.
    default double lasting() {
        return 1;
    }

    /// Errors in logs that are no surprise while it is at work.
    default List<Expected> expected() {
        return List.of();
    }

    /// An error in a log.
    ///
    /// @param why  for people
    /// @param log  name of the log, all of it, as a regular expression
    /// @param line found in the line, as a regular expression
    record Expected(String why, String log, String line) {
    }
}
