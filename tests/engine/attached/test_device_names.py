"""What QEMU calls the device at a doorbell's address: as a QEMU told it, and a real one that is asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bellwire.engine.attached.device_names import DeviceNames, control_channel, named_ranges
from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.ioeventfd import IoMatch
from bellwire.engine.kvm.partners import qemu
from bellwire.engine.kvm.partners.qemu import qemu_refusal
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario
from tests.support.described_proc import describe_process
from tests.support.sessions import fed, paced, tally_of, wait_for

TOLD = """\
FlatView #0
 AS "memory", root: system
 AS "virtio-blk-pci", root: bus master container
 Root memory region: system
  0000000000000000-00000000005fffff (prio 0, ram): ram
  00000000fe003000-00000000fe003fff (prio 0, i/o): virtio-pci-notify-virtio-blk
  00000000fee00000-00000000feefffff (prio 4096, i/o): kvm-apic-msi

FlatView #1
 AS "i440FX", root: bus master container
 Root memory region: (none)
  No rendered FlatView
  00000000fe004000-00000000fe004fff (prio 0, i/o): of-no-bus

FlatView #2
 AS "I/O", root: io
 Root memory region: io
  0000000000000510-0000000000000511 (prio 0, i/o): fw\x1b[31mcfg
  0000000000000cf9-0000000000000cf9 (prio -1, i/o): piix3-reset-control
"""


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("-qmp", "unix:/run/q,server=on,wait=off"), "/run/q"),
        (("-chardev", "socket,id=mon,path=/run/m,server=on", "-mon", "chardev=mon,mode=control"), "/run/m"),
        (("-chardev", "socket,id=mon,path=/run/m", "-mon", "mon,mode=control"), "/run/m"),
        (("-chardev", "socket,id=mon,fd=7", "-mon", "chardev=mon,mode=control"), None),
        (("-monitor", "unix:/run/human"), None),
        (("-qmp", "tcp:localhost:4444"), None),
    ],
)
def test_where_a_control_channel_is_stands_in_the_command_line(
    arguments: tuple[str, ...], place: str | None, tmp_path: Path
) -> None:
    describe_process(tmp_path, 7, arguments=("qemu-system-x86_64", *arguments))
    assert control_channel(7, tmp_path) == (Path(place) if place else None)


def test_one_that_is_named_from_its_folder_is_found_there(tmp_path: Path) -> None:
    describe_process(tmp_path, 7, arguments=("qemu-system-x86_64", "-qmp", "unix:q.sock"))
    assert control_channel(7, tmp_path) == tmp_path / "proc/7/cwd/q.sock"


@contextmanager
def told_by(path: Path, *answers: object) -> Iterator[None]:
    """A control channel that gives these answers, the greeting first; {} hangs up."""

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, connection.makefile("rw") as lines:
            for number, answer in enumerate(answers):
                if number:
                    asked = json.loads(lines.readline())
                    answer = {"id": asked.get("id"), **answer} if isinstance(answer, dict) else answer
                lines.write(f"{json.dumps(answer)}\n")
                lines.flush()

    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_what_is_at_an_address_is_named_by_bus() -> None:
    assert named_ranges(TOLD) == {
        "mmio": [
            (0xFE003000, 0xFE003FFF, "virtio-pci-notify-virtio-blk"),
            (0xFEE00000, 0xFEEFFFFF, "kvm-apic-msi"),
        ],
        "pio": [(0x510, 0x511, "fw␛[31mcfg"), (0xCF9, 0xCF9, "piix3-reset-control")],
    }
    assert named_ranges("nothing of the kind") == {}


def test_a_qemu_is_asked(tmp_path: Path) -> None:
    greeting = {"QMP": {"version": {"qemu": {"major": 7, "minor": 2, "micro": 0}}}}
    again = TOLD.replace("notify-virtio-blk", "notify-virtio-net")
    answers: tuple[object, ...] = (greeting, {"return": {}}, {"return": TOLD}, {"return": again})
    with told_by(tmp_path / "qmp", *answers), DeviceNames(tmp_path / "qmp") as names:
        assert names.name_of(IoMatch("mmio", 0xFE003FFC, 0)) == "virtio-pci-notify-virtio-blk"
        assert names.name_of(IoMatch("mmio", 0x510, 0)) == names.name_of(IoMatch("ccw", 0x510, 0)) == ""
        assert names.name_of(IoMatch("pio", 0xCF9, 1)) == "piix3-reset-control"
        names.ask()
        assert names.name_of(IoMatch("mmio", 0xFE003000, 0)) == "virtio-pci-notify-virtio-net"


def test_no_socket_is_one_sentence(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(EngineError, match="is no control channel of QEMU's"):
            DeviceNames(path)


def test_another_program_s_socket_is_one_sentence(tmp_path: Path) -> None:
    with told_by(tmp_path / "other", ["hello"]), pytest.raises(EngineError, match="something that is not QMP"):
        DeviceNames(tmp_path / "other")


@pytest.mark.kvm
@pytest.mark.skipif(bool(qemu_refusal()), reason=qemu_refusal())
def test_a_real_qemu_names_its_disk_s_doorbell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, command = tmp_path / "qmp", qemu.qemu_command
    more = ["-qmp", f"unix:{path},server=on,wait=off"]
    monkeypatch.setattr(qemu, "qemu_command", lambda *asked: [*command(*asked), *more])
    doorbell = load_scenario("qemu-virtio-blk").doorbell
    assert doorbell is not None
    with Session(paced("qemu-virtio-blk")) as session:
        tally = tally_of(session.take())
        wait_for(lambda: fed(tally, session).irqs_handled > 0)
        with DeviceNames(path) as names:
            assert names.name_of(IoMatch("mmio", doorbell.address, 0)) == "virtio-pci-notify-virtio-blk"
