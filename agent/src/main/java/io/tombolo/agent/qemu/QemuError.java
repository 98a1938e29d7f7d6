package io.tombolo.agent.qemu;

import io.tombolo.region.ErrorCode;

/// What can go wrong between the agent and a QEMU process. Names are stable.
public enum QemuError implements ErrorCode {
    /// There is no QEMU binary, or it cannot be executed.
    QEMU_MISSING(4),
    /// The binary is older than [QemuBinary#MINIMUM] or does not say what it is.
    QEMU_TOO_OLD(4),
    /// The QEMU process ended without being asked to.
    QEMU_DIED(4),
    /// The QEMU process did not go away after SIGKILL.
    QEMU_NOT_REAPED(4),
    /// QEMU answered a QMP command with an error.
    QEMU_REFUSED(1),
    /// The QMP socket was closed while commands or waits were outstanding.
    QMP_CLOSED(4),
    /// A line that is too long, not JSON or not QMP.
    QMP_GARBAGE(4),
    /// QEMU did not answer, or an event did not come, in time.
    QEMU_TIMEOUT(4),
    /// The definition asks for something that cannot be run or moved safely.
    QEMU_DEFINITION(2),
    /// A socket path is longer than UNIX domain sockets allow.
    QEMU_PATH_TOO_LONG(2),
    /// The device state does not fit the room it was given. The guest goes on at the source.
    STATE_TOO_LARGE(3),
    /// The device state was not saved. The fact `guest` says what the guest does now.
    STATE_SAVE_FAILED(3),
    /// The length given for a device state is impossible. Nothing was given to QEMU.
    STATE_LENGTH(5),
    /// What was to be loaded is not a QEMU migration stream. Nothing was given to QEMU.
    STATE_NOT_A_STREAM(5),
    /// QEMU did not load the device state. The guest at the target is of no use any more.
    STATE_LOAD_FAILED(3),
    /// Programs that build the guest image are missing.
    GUEST_IMAGE_TOOLS_MISSING(4),
    /// A package with a part of the guest image cannot be had.
    GUEST_IMAGE_PACKAGE_MISSING(4),
    /// The guest's own program could not be compiled or put in place.
    GUEST_IMAGE_COMPILE_FAILED(4),
    /// The image script failed in a way it has no code for.
    GUEST_IMAGE_FAILED(4),
    /// A cached guest image is not what its manifest says.
    GUEST_IMAGE_DAMAGED(5),
    /// The guest found its memory changed, or its program failed.
    GUEST_FAILED(5);

    private final int exitStatus;

    QemuError(int exitStatus) {
        this.exitStatus = exitStatus;
    }

    @Override
    public int exitStatus() {
        return exitStatus;
    }
}
