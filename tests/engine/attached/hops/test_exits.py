"""How long a vCPU was out of its guest, by reason."""

from __future__ import annotations

from bellwire.engine._core import lib
from bellwire.engine.attached.hops.exit_names import SVM, hardware_exit
from bellwire.engine.attached.hops.exits import ExitFold, ExitKey
from tests.support.kernel_records import CLOCK, READER, VCPU, K, looked_at, records, row

MMIO = int(lib.KVM_EXIT_MMIO)
EINTR = 2**32 - 4  # as kvm_userspace_exit tells it


def test_until_kvm_run_is_called_again_however_it_is_cut() -> None:
    fold = ExitFold(CLOCK)
    for batch in (
        records(row(100, K.USER_EXIT, VCPU, MMIO, 0), row(110, K.USER_EXIT, READER, MMIO, 0)),  # not its vCPU's
        records(row(600, K.RUN_ENTERED, VCPU), row(700, K.RUN_ENTERED, VCPU), row(800, K.USER_EXIT, VCPU, 10, EINTR)),
    ):
        rows, places, _ = looked_at(batch)
        fold.feed(rows, places)
    left, interrupted = ExitKey(True, "KVM_EXIT_MMIO"), ExitKey(True, "EINTR")
    assert fold.counts == {left: 1, interrupted: 1}
    assert (fold.durations[left].max, fold.total_ns[left], fold.durations[interrupted].count) == (500, 500, 0)


def test_each_exit_that_the_kernel_tells_of_has_its_reason_and_time() -> None:
    fold = ExitFold(CLOCK)
    rows, places, _ = looked_at(
        records(*(row(100 + n, K.EXIT_SERVED, VCPU, reason, SVM, 40) for n, reason in enumerate((0x7B, 0x78, 0x7B))))
    )
    fold.feed(rows, places)
    assert fold.counts == {ExitKey(False, "SVM IOIO"): 2, ExitKey(False, "SVM HLT"): 1}
    assert fold.total_ns[ExitKey(False, "SVM IOIO")] == 80


def test_reasons_have_names_and_unknown_ones_their_numbers() -> None:
    assert [hardware_exit(*code) for code in ((30, 1), (4096, 1), (0x10, 2), (0x4E, 2), (0x9999, 2))] == [
        "VMX IO_INSTRUCTION", "VMX 4096", "SVM WRITE_CR0", "SVM EXCEPTION_14", "SVM 0x9999",
    ]  # fmt: skip
    assert hardware_exit(2**32 - 1, 1) == "–"
