package io.tombolo.agent.qemu;

/// What executes a guest's instructions.
public enum Accelerator {
    /// The processor itself; used only where [AcceleratorProbe] saw a guest make progress.
    KVM("kvm", "host"),
    /// QEMU's translator: slow, works everywhere.
    TCG("tcg", "max");

    private final String option;
    private final String cpu;

    Accelerator(String option, String cpu) {
        this.option = option;
        this.cpu = cpu;
    }

    String option() {
        return option;
    }

    String cpu() {
        return cpu;
    }
}
