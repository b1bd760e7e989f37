"""Why a CPU leaves a guest, by its own numbers: VMX's basic exit reasons (asm/vmx.h), SVM's exit codes (asm/svm.h)."""

from __future__ import annotations

NOT_TOLD = 2**32 - 1
SVM = 2  # KVM_ISA_SVM
VMX_EXITS = {
    0: "EXCEPTION_NMI", 1: "EXTERNAL_INTERRUPT", 2: "TRIPLE_FAULT", 7: "INTERRUPT_WINDOW", 8: "NMI_WINDOW",
    9: "TASK_SWITCH", 10: "CPUID", 12: "HLT", 13: "INVD", 14: "INVLPG", 15: "RDPMC", 16: "RDTSC", 18: "VMCALL",
    28: "CR_ACCESS", 29: "DR_ACCESS", 30: "IO_INSTRUCTION", 31: "MSR_READ", 32: "MSR_WRITE", 33: "INVALID_STATE",
    36: "MWAIT_INSTRUCTION", 37: "MONITOR_TRAP_FLAG", 39: "MONITOR_INSTRUCTION", 40: "PAUSE_INSTRUCTION",
    43: "TPR_BELOW_THRESHOLD", 44: "APIC_ACCESS", 45: "EOI_INDUCED", 46: "GDTR_IDTR", 47: "LDTR_TR",
    48: "EPT_VIOLATION", 49: "EPT_MISCONFIG", 51: "RDTSCP", 52: "PREEMPTION_TIMER", 54: "WBINVD", 55: "XSETBV",
    56: "APIC_WRITE", 57: "RDRAND", 58: "INVPCID", 61: "RDSEED", 62: "PML_FULL", 67: "UMWAIT", 68: "TPAUSE",
    74: "BUS_LOCK", 75: "NOTIFY",
}  # fmt: skip
SVM_EXITS = {
    0x60: "INTR", 0x61: "NMI", 0x62: "SMI", 0x63: "INIT", 0x64: "VINTR", 0x65: "CR0_SEL_WRITE", 0x6E: "RDTSC",
    0x6F: "RDPMC", 0x72: "CPUID", 0x73: "RSM", 0x74: "IRET", 0x75: "SWINT", 0x76: "INVD", 0x77: "PAUSE", 0x78: "HLT",
    0x79: "INVLPG", 0x7A: "INVLPGA", 0x7B: "IOIO", 0x7C: "MSR", 0x7D: "TASK_SWITCH", 0x7E: "FERR_FREEZE",
    0x7F: "SHUTDOWN", 0x80: "VMRUN", 0x81: "VMMCALL", 0x82: "VMLOAD", 0x83: "VMSAVE", 0x84: "STGI", 0x85: "CLGI",
    0x87: "RDTSCP", 0x89: "WBINVD", 0x8A: "MONITOR", 0x8B: "MWAIT", 0x8C: "MWAIT_COND", 0x8D: "XSETBV", 0x8E: "RDPRU",
    0x400: "NPF", 0x401: "AVIC_INCOMPLETE_IPI", 0x402: "AVIC_UNACCELERATED_ACCESS", 0x403: "VMGEXIT",
}  # fmt: skip
SVM_RANGES = ((0x00, 0x10, "READ_CR"), (0x10, 0x20, "WRITE_CR"), (0x20, 0x30, "READ_DR"), (0x30, 0x40, "WRITE_DR"),
              (0x40, 0x60, "EXCEPTION_"))  # fmt: skip


def hardware_exit(reason: int, isa: int) -> str:
    """The name, with that of the CPU's extension before it; a number where it has none here."""
    if reason == NOT_TOLD:
        return "–"
    if isa != SVM:
        return f"VMX {VMX_EXITS.get(reason, reason)}"
    ranged = next((f"{name}{reason - low}" for low, high, name in SVM_RANGES if low <= reason < high), f"{reason:#x}")
    return f"SVM {SVM_EXITS.get(reason, ranged)}"
