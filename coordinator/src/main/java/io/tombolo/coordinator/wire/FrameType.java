package io.tombolo.coordinator.wire;

/// What a frame is for. The codes are part of the wire format.
enum FrameType {
    /// First frame in each direction; payload [Hello].
    HELLO(1),
    /// Payload a [Request].
    REQUEST(2),
    /// Payload a [Reply]; correlation that of the request.
    REPLY(3),
    /// Payload [Reply.ErrorReply]: the sender found the connection unusable and closes it after this frame.
    REFUSAL(4);

    private final int code;

    FrameType(int code) {
        this.code = code;
    }

    int code() {
        return code;
    }

    /// The type of a code, or null.
    static FrameType of(int code) {
        for (FrameType type : values()) {
            if (type.code == code) {
                return type;
            }
        }
        return null;
    }
}
