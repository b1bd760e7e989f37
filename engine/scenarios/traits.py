"""What is true of a scenario, as far as pictures, captions, ways and panels ask for it.

They ask for traits and for nothing else, so that a new machine is drawn and told of as what it is like, and nobody has
to know its name. What numbers and values there are, the scenario itself says.
"""

from __future__ import annotations

from enum import StrEnum


class Trait(StrEnum):
    """True of a scenario, or not. assets/diagrams/*.toml ask for them by these values."""

    # of its machine: engine/scenarios/machine_kinds.py
    DIRECT = "direct"  # each doorbell interrupts, and no thread of this process waits for it
    PARTNERED = "partnered"  # so it is, and another process waits for the doorbell and interrupts
    KERNEL_WORKER = "kernel-worker"  # but it is no process: a vhost worker of the kernel does both
    VSOCK = "vsock"  # and its device is a socket, not a network card
    REAL_QEMU = "real-qemu"  # the VMM is QEMU: this process only starts it
    QEMU_SERVES = "qemu-serves"  # and the device is its own
    VMM_EXITS = "vmm-exits"  # and it has neither ioeventfd nor irqfd
    TWO_GUESTS = "two-guests"  # one rings, the other is interrupted
    IVSHMEM = "ivshmem"  # each in a QEMU, whose devices share a page and interrupt each other
    TWO_VCPUS = "two-vcpus"
    IO_URING = "io-uring"  # each interrupt is the completion of a read
    VIRTQUEUE = "virtqueue"  # doorbells and interrupts tell of buffers
    # of its doorbell
    DOORBELL = "doorbell"
    FAST_MMIO = "fast-mmio"  # looked up before the instruction is decoded
    MISS = "miss"  # the ioeventfd never takes it
    MENDED = "mended"  # it does not, but a lab registers it otherwise now and then
    QUEUES = "queues"  # several eventfds at one address
    ADDRESSES = "addresses"  # several addresses of one eventfd
    COALESCED = "coalesced"
    # of its interrupt
    INTERRUPT = "interrupt"
    ANSWERED = "answered"  # each read of the doorbell is answered by one
    MSI = "msi"
    IOAPIC = "ioapic"
    SIGNAL_MSI = "signal-msi"  # what is used while the irqfd is off
    IRQ_LINE = "irq-line"
    WAITS = "waits"  # nothing is used: the eventfd keeps the count
    IRQFDS = "irqfds"  # several
    LEVEL = "level"
    RESAMPLE = "resample"  # a level that KVM lowers
    ACKNOWLEDGED = "acknowledged"  # a level that the VMM lowers, once the guest has told it
    MASKED = "masked"
    MASKING = "masking"  # a lab masks the pin now and then
    WINDOW = "window"  # the guest keeps interrupts off for a while
    REROUTE = "reroute"
    ENDED_BY_KVM = "ended-by-kvm"  # KVM ends it as it injects: no EOI leaves the guest
    SECOND_IRQFD = "second-irqfd"  # a lab asks for another irqfd on the same eventfd
    SPLIT = "split"  # IOAPIC and PIC are the VMM's
    # of both
    STORMS = "storms"  # a lab lets the guest access addresses where nothing is
    WAITED_FOR = "waited-for"  # the guest rings no further before it is answered
    ROUND_TRIP = "round-trip"


Traits = frozenset[Trait]
