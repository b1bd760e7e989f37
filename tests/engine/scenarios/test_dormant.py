"""A setting that waits for a switch is said to do nothing, and does nothing; with the switch thrown it does."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine.events import EventKind
from bellwire.engine.scenarios.dormant import DORMANT, dormant
from bellwire.engine.scenarios.rules import SETTINGS
from bellwire.engine.scenarios.scenario import Scenario, load_scenario
from tests.support.sessions import run

CASES = [  # a setting, what wakes it, and the kind of event that then comes, or comes no more
    ("doorbell-pio", "coalesced", "on", "ioeventfd", "off", EventKind.FETCH),
    ("roundtrip", "ioctl", "irq-line", "irqfd", "off", EventKind.IRQ_IOCTL),
    ("irq-msi", "waits", "on", "irqfd", "off", EventKind.HANDLER),
    ("doorbell-pio-exit", "datamatch", "9", "ioeventfd", "on", EventKind.EXIT),
    ("doorbell-mmio-exit", "ioeventfd_address", "0xd0000010", "ioeventfd", "on", EventKind.EXIT),
    ("irq-signal-msi", "irqfds", "3", "irqfd", "on", EventKind.IRQFD),
]


def wired(name: str, **settings: str) -> Scenario:
    return load_scenario(name).with_settings(settings)


@pytest.mark.parametrize(("name", "key", "value", "switch", "other", "kind"), CASES)
def test_it_is_said_until_the_switch_is_thrown(
    name: str, key: str, value: str, switch: str, other: str, kind: EventKind
) -> None:
    (said,) = dormant(wired(name, **{key: value}), [key])
    assert said.startswith(f"{key} does nothing in this run while ")
    assert said.endswith(f": add --set {switch}={other}.")
    assert not list(dormant(wired(name, **{key: value, switch: other}), [key, switch]))
    assert not list(dormant(wired(name, **{key: value}), []))  # nobody has asked for it


@pytest.mark.kvm
@pytest.mark.parametrize(("name", "key", "value", "switch", "other", "kind"), CASES)
def test_until_then_it_does_nothing(name: str, key: str, value: str, switch: str, other: str, kind: EventKind) -> None:
    def there(**settings: str) -> int:
        _, events = run(wired(name, pace="1000", **settings), signals=60)
        return int(np.count_nonzero((events["kind"] == kind) & (events["seq"] > 0)))

    assert bool(there(**{key: value})) == bool(there())
    if key == "irqfds":  # of which each event is like the other: what is registered says how many there are
        assert there(**{key: value, switch: other}) > 0
    else:
        assert bool(there(**{key: value, switch: other})) != bool(there(**{switch: other})) or key == "ioctl"


def test_every_one_is_a_setting_and_a_lab_throws_switches_itself() -> None:
    assert {each.key for each in DORMANT} <= SETTINGS.keys()
    assert not list(dormant(wired("lab-wire-cut", coalesced="on"), ["coalesced"]))
