"""Hops of the VMM of seen_vmms, for what shows them."""

from __future__ import annotations

import numpy as np

from bellwire.engine.attached.hops.exits import ExitKey
from bellwire.engine.attached.hops.figures import (
    CURVE_EDGES,
    DoorbellHops,
    ExitHops,
    HaltHops,
    HopFigures,
    HopLatency,
    InterruptHops,
    InterruptSender,
    WokenThread,
)
from bellwire.engine.attached.hops.halts import VcpuKey
from bellwire.engine.attached.hops.interrupts import InterruptKey, SignalledBy
from bellwire.engine.attached.hops.places import DoorbellKey, HopThread
from tests.support.seen_vmms import VM, VMM

IO, DAEMON = HopThread(50, "IO io0", VMM.pid, VMM.name), HopThread(91, "worker", 90, "qemu-storage-daemon")
CURVE = np.histogram(10 ** np.linspace(3.2, 5.5, 400), CURVE_EDGES)[0].astype(np.float64)
QUICK = HopLatency(400, 3400, 13200, 90_000, CURVE)
DISK, PORT = (DoorbellKey(11, one) for one in VM.ioeventfds)
VECTOR = InterruptKey(11, 0x40, 0)
HOPS = HopFigures(
    seconds=2.0,
    doorbells=(DoorbellHops(DISK, 800, 400.0, (WokenThread(IO, 790, QUICK),)), DoorbellHops(PORT, 0, 0.0)),
    interrupts=(
        InterruptHops(
            InterruptKey(11, 0x20, 0), 100, 50.0, (InterruptSender(None, SignalledBy.ITSELF, 100),), 100, QUICK
        ),
        InterruptHops(VECTOR, 800, 400.0, (InterruptSender(DAEMON, SignalledBy.WRITE, 800),), 799, QUICK),
    ),
    halts=(HaltHops(VcpuKey(11, 0), 700, 20, 360.0, QUICK),),
    exits=(ExitHops(ExitKey(True, "KVM_EXIT_MMIO"), 9, 4.0, HopLatency(9, 21_000, None, 40_000, CURVE), 190_000),),
    journeys=QUICK,
    rung=800,
    sent=800,
    error_ns=40.0,
    backend="kvm_pvm",
    waking=QUICK,
    taking=QUICK,
    rates=np.array([[40] * 30, [41] * 30]),
)
