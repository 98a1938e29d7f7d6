package io.tombolo.chaos.coordination;

import java.util.Arrays;

/// Error codes of answers, with ZooKeeper's numbers (`KeeperException.Code`).
public enum Code {
    /// Done.
    OK(0),
    /// Another operation of the transaction failed; this one was not looked at.
    RUNTIMEINCONSISTENCY(-2),
    /// The connection was lost before the answer came: whether the request was or will be carried out is unknown.
    CONNECTIONLOSS(-4),
    /// The request makes no sense, such as deleting the root.
    BADARGUMENTS(-8),
    /// There is no such node, or no such parent.
    NONODE(-101),
    /// The node's version is another.
    BADVERSION(-103),
    /// An ephemeral node has no children.
    NOCHILDRENFOREPHEMERALS(-108),
    /// The node is there already.
    NODEEXISTS(-110),
    /// The node has children.
    NOTEMPTY(-111),
    /// The session has ended.
    SESSIONEXPIRED(-112),
    /// The session has moved to another server; this request of its old connection was not carried out.
    SESSIONMOVED(-118);

    private final int number;

    Code(int number) {
        this.number = number;
    }

    /// ZooKeeper's number.
    public int number() {
        return number;
    }

    /// The code with that number.
    ///
    /// @throws IllegalArgumentException for a number that the model does not know
    public static Code of(int number) {
        return Arrays.stream(values()).filter(code -> code.number == number).findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no such code: " + number));
    }
}
