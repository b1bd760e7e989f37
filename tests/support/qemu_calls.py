"""What QEMUs hand to the kernel: the wires that are shown, among all the calls that they made."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.calls.wires import AssignIoeventfd, AssignIrqfd
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import Scenario
from tests.support.ioctl_log import logged_ioctls
from tests.support.sessions import run


class QemuCalls:
    """Runs a scenario for so many signals; made: (number as in "0x4040ae79", argument) of every ioctl on KVM."""

    def __init__(self, scenario: Scenario, signals: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        with logged_ioctls(folder, monkeypatch) as logged:
            self.session: Session = run(scenario, signals)[0]
        self.made = logged()

    def has(self, call: AssignIoeventfd | AssignIrqfd) -> bool:
        """Whether the kernel got what is shown."""
        return any(number == f"{call.request:#x}" and is_the_same(call, data) for number, data in self.made)


def is_the_same(call: AssignIoeventfd | AssignIrqfd, data: bytes) -> bool:
    """But for what is known at run time alone, or not looked at."""
    assert call.arguments is not None
    looked_at = [field for field in call.arguments.fields if field.value is not None and field.name != "resamplefd"]
    return all(
        int.from_bytes(data[field.offset : field.offset + field.size], "little") == field.value for field in looked_at
    )
