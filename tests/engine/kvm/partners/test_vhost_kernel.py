"""What the ioctls of vhost hand to the kernel, byte by byte, and what tells a frame of the guest's from another."""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import pytest

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import KvmError
from bellwire.engine.kvm.owner import Fd
from bellwire.engine.kvm.partners.tap import frame_number
from bellwire.engine.kvm.partners.vhost_kernel import VhostDevice, vhost_workers
from bellwire.engine.kvm.partners.vsock import sent_from
from bellwire.engine.kvm.vm import Memory
from tests.support.leaks import belongings, left_behind

HERE = 0x7F0000000000


def data(of: object) -> bytes:
    return bytes(ffi.buffer(ffi.addressof(of)))


def test_the_memory_table_is_one_region_from_address_0() -> None:
    table = lib.bw_vhost_memory_struct(lib.BW_MEMORY_SIZE, ffi.cast("void *", HERE))
    assert data(table) == struct.pack("<II", 1, 0) + struct.pack("<QQQQ", 0, lib.BW_MEMORY_SIZE, HERE, 0)


def test_a_queue_is_told_by_addresses_of_this_process() -> None:
    layout = ffi.new("struct bw_vring *", {"descriptors": 0x1000, "used": 0x3000, "available": 0x2000})
    told = lib.bw_vhost_addr_struct(1, layout, ffi.cast("void *", HERE))
    assert data(told) == struct.pack("<IIQQQQ", 1, 0, HERE + 0x1000, HERE + 0x3000, HERE + 0x2000, 0)


def test_a_number_and_a_file_stand_behind_the_queue() -> None:
    assert data(lib.bw_vhost_state_struct(1, 64)) == struct.pack("<II", 1, 64)
    assert data(lib.bw_vhost_file_struct(1, -1)) == struct.pack("<Ii", 1, -1)


def test_the_requests_are_those_of_the_kernels_header() -> None:
    """_IO, _IOR, _IOW and _IOWR of type 0xaf, include/uapi/linux/vhost.h."""
    expected = {
        "VHOST_SET_FEATURES": 0x4008AF00,
        "VHOST_SET_OWNER": 0x0000AF01,
        "VHOST_SET_MEM_TABLE": 0x4008AF03,
        "VHOST_SET_VRING_NUM": 0x4008AF10,
        "VHOST_SET_VRING_ADDR": 0x4028AF11,
        "VHOST_SET_VRING_BASE": 0x4008AF12,
        "VHOST_SET_VRING_KICK": 0x4008AF20,
        "VHOST_SET_VRING_CALL": 0x4008AF21,
        "VHOST_SET_VRING_ERR": 0x4008AF22,
        "VHOST_NET_SET_BACKEND": 0x4008AF30,
        "VHOST_VSOCK_SET_GUEST_CID": 0x4008AF60,
        "VHOST_VSOCK_SET_RUNNING": 0x4004AF61,
    }
    assert {name: getattr(lib, name) for name in expected} == expected


def test_what_the_kernel_refuses_names_the_ioctl() -> None:
    """An eventfd is no vhost: each ioctl is refused, with its name, and nothing is left."""
    before = belongings()
    with Memory() as memory, Fd(lib.bw_eventfd_new(0, 0)) as other:
        device = VhostDevice.__new__(VhostDevice)
        device.fd = other.fd
        for name, ask in {
            "VHOST_SET_OWNER": device.set_owner,
            "VHOST_GET_FEATURES": device.get_features,
            "VHOST_SET_MEM_TABLE": lambda: device.set_mem_table(memory),
            "VHOST_SET_VRING_NUM 64": lambda: device.set_vring_num(1, 64),
            "VHOST_SET_VRING_BASE 0": lambda: device.set_vring_base(1, 0),
            "VHOST_GET_VRING_BASE": lambda: device.get_vring_base(1),
            "VHOST_SET_VRING_ADDR": lambda: device.set_vring_addr(1, memory, 0, 0, 0),
        }.items():
            with pytest.raises(KvmError, match=f"^{name}: .*ENOTTY"):
                ask()  # type: ignore[no-untyped-call]
    assert left_behind(before) == []


def test_a_worker_is_known_by_its_name() -> None:
    """Here a thread of this test has it for a while."""
    own = Path(f"/proc/self/task/{threading.get_native_id()}/comm")
    name = own.read_text()
    own.write_text("vhost-77")
    try:
        assert vhost_workers().get(threading.get_native_id()) == "vhost-77"
    finally:
        own.write_text(name)
    assert threading.get_native_id() not in vhost_workers()


def frame(*numbers: int, size: int = lib.BW_FRAME_SIZE) -> bytes:
    words = (size - lib.BW_FRAME_PAYLOAD) // 8
    return bytes(lib.BW_FRAME_PAYLOAD) + struct.pack(f"<{words}Q", *(numbers * words)[:words])


def test_a_frame_tells_its_number_if_it_is_whole() -> None:
    assert frame_number(frame(7)) == 7
    assert frame_number(frame(2**64 - 1)) == 2**64 - 1
    assert frame_number(frame(7, 8)) == -1
    assert frame_number(frame(7, size=lib.BW_FRAME_SIZE - 8)) == -1
    assert frame_number(b"") == -1


def test_what_the_guest_sends_is_known_at_each_place() -> None:
    """The numbers begin with 2: packet 1 is the answer to the connection, and carries nothing."""
    words = lib.BW_VSOCK_PAYLOAD // 8
    whole = b"".join(struct.pack("<Q", number) * words for number in range(2, 40))
    assert sent_from(0, len(whole)) == whole
    for place, size in ((0, 1), (1, 8), (63, 2), (64, 64), (130, 700), (5, 0)):
        assert sent_from(place, size) == whole[place : place + size]
