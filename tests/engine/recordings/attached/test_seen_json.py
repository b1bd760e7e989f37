"""What was registered comes out of a recording as it went in; what cannot have been registered is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bellwire.engine.attached.processes import LARGEST_PID
from bellwire.engine.attached.topology import SeenIrqfd, SeenVm, Topology
from bellwire.engine.recordings.attached.seen_json import HiddenNumbers, topology_from_json, topology_to_json
from bellwire.engine.recordings.metadata import json_table
from tests.support.seen_vmms import DAEMON, SEEN, VM, VMM, crowded


def read_back(content: Any) -> Topology:
    """What is read of this JSON."""
    return topology_from_json(json_table(json.dumps(content).encode(), "it"))


@pytest.mark.parametrize("topology", [SEEN, crowded(), replace(SEEN, vms=(SeenVm(None, "", irqfds=VM.irqfds),))])
def test_it_is_read_as_it_was_written(topology: Topology) -> None:
    told = read_back(topology_to_json(topology))
    assert told.vms == topology.vms
    assert (told.eventfds, told.holders, told.partners) == (topology.eventfds, topology.holders, topology.partners)
    flags = ("hidden", "settled", "dropped", "untold")
    assert [getattr(told, name) for name in flags] == [getattr(topology, name) for name in flags]
    assert (told.process.pid, told.process.name, told.process.guest) == (VMM.pid, VMM.name, VMM.guest)


def test_lists_that_the_kernel_does_not_tell_stay_untold() -> None:
    assert read_back(topology_to_json(replace(SEEN, untold=("irqfds", "routes")))).untold == ("irqfds", "routes")


def test_hidden_numbers_are_nobodys_and_the_same_each_time() -> None:
    number = HiddenNumbers()
    told = read_back(topology_to_json(SEEN, number))
    assert told.process.pid > LARGEST_PID
    assert told.process.pid_hidden
    assert str(told.process) == VMM.name
    (holder,) = told.holders[70]
    assert holder.pid == number(DAEMON.pid) != DAEMON.pid
    assert [vcpu.tid for vm in told.vms for vcpu in vm.vcpus] == [number(33)]
    assert str(VMM.pid) not in json.dumps(topology_to_json(SEEN, HiddenNumbers()))


def harmed(path: str, value: Any) -> Any:
    """The JSON with one member another one. path: "vms.0.fd"."""
    content = at = json.loads(json.dumps(topology_to_json(SEEN)))
    *way, last = path.split(".")
    for name in way:
        at = at[int(name)] if name.isdecimal() else at[name]
    at[last] = value
    return content


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("process", []),
        ("process.pid", 1 << 24),
        ("process.pid", True),
        ("process.name", 7),
        ("vms", {}),
        ("vms", [{}] * 65),
        ("vms.0.fd", -1),
        ("vms.0.irqchip", "other"),
        ("vms.0.vcpus.0.tid", 1.5),
        ("vms.0.ioeventfds.0.length", 3),
        ("vms.0.ioeventfds.0.bus", "isa"),
        ("vms.0.ioeventfds.0.address", 2**64),
        ("vms.0.ioeventfds.1.datamatch", -1),
        ("vms.0.irqfds.0.gsi", 2**32),
        ("vms.0.routes.0.address", "0"),
        ("eventfds.0.fds", [2**31]),
        ("holders.0.fds", ["7"]),
        ("settled", 2),
        ("untold", [4]),
        ("hidden", None),
    ],
)
def test_what_cannot_be_is_refused(path: str, value: Any) -> None:
    with pytest.raises(ValueError, match=r"is not|is no|that there is not"):
        read_back(harmed(path, value))


def test_texts_steer_nobody() -> None:
    told = read_back(harmed("process.name", "\x1b[31mred\u202e"))
    assert told.process.name == "␛[31mred\\u202e"


def test_an_irqfd_without_resample_has_none() -> None:
    assert read_back(topology_to_json(SEEN)).vms[0].irqfds[0] == SeenIrqfd(72, 2)
