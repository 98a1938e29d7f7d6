package io.tombolo.agent.right;

/// For tests of what a thread with the right to run does.
public final class OpenBoard {
    private OpenBoard() {
    }

    /// A thread's place on a board whose gate is open for good.
    public static CheckBoard.Checker checker() {
        CheckBoard board = new CheckBoard(() -> 1, () -> 0, 0, 1);
        board.openGate(Long.MAX_VALUE);
        return board.register("test", () -> true);
    }
}
