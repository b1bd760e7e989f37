"""A tap device in a network of its own, with a packet socket at its other end: there frames are counted and looked at.

The device and the network are gone with the two files, however this process ends (engine/core/tap.c).
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import check
from bellwire.engine.kvm.owner import Fd, Owner
from bellwire.engine.kvm.partners.vhost_kernel import device_refusal
from bellwire.engine.language import tr

TUN = Path("/dev/net/tun")
STATUS = Path("/proc/thread-self/status")
CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN = 12, 13, 21  # linux/capability.h
SOL_PACKET, PACKET_STATISTICS = 263, 6  # linux/socket.h, linux/if_packet.h
STATISTICS = struct.Struct("II")  # struct tpacket_stats: frames, and of these those that found no room
MOST_AT_ONCE = 1 << 14  # frames that one look takes


def tap_refusal() -> str:
    """Why no tap device in a network of its own can be had, in one sentence; "" if it probably can."""
    if why := device_refusal(TUN):
        return why
    needed = 1 << CAP_NET_ADMIN | 1 << CAP_NET_RAW | 1 << CAP_SYS_ADMIN
    if needed & ~capabilities_in_force():
        return tr("A network of its own for the guest's frames needs CAP_SYS_ADMIN and CAP_NET_ADMIN: run it as root.")
    return ""


def capabilities_in_force() -> int:
    """Of this thread, as bits (capabilities(7)); 0 where /proc does not tell."""
    try:
        lines = STATUS.read_text().splitlines()
    except OSError:
        return 0
    told = next((line.split()[1] for line in lines if line.startswith("CapEff:")), "0")
    return int(told, 16)


def frame_number(frame: bytes) -> int:
    """The number that the guest has written all over a frame; -1 of one that it has not written so."""
    words = frame[lib.BW_FRAME_PAYLOAD :]
    number = words[:8]
    whole = len(frame) == lib.BW_FRAME_SIZE and words == number * (len(words) // 8)
    return int.from_bytes(number, "little") if whole else -1


class TapNetwork(Owner):
    """Raises KvmError if the kernel refuses it.

    arrived: frames of the guest, as the kernel has counted them at the other end; looked_at: of these, those that were
    read in time; wrong: of these, those that did not carry the number after the one before, in each word.
    """

    def __init__(self) -> None:
        tap, frames = ffi.new("int *"), ffi.new("int *")
        check(lib.bw_tap_new(tap, frames), tr("A tap device in a network of its own"))
        self.tap = Fd(tap[0])
        self._frames = socket.socket(fileno=frames[0])
        self.arrived = self.looked_at = self.wrong = 0
        self._newest = self._unseen = 0

    def look(self) -> None:
        """Takes the frames that have come since, and counts them."""
        for _ in range(MOST_AT_ONCE):
            try:
                frame = self._frames.recv(2 * lib.BW_FRAME_SIZE)
            except BlockingIOError:
                break
            self._take(frame_number(frame))
        came, without_room = STATISTICS.unpack(self._frames.getsockopt(SOL_PACKET, PACKET_STATISTICS, STATISTICS.size))
        self.arrived += came
        self._unseen += without_room

    def _take(self, number: int) -> None:
        """One frame. Where some found no room, numbers are left out; they never go back."""
        self.looked_at += 1
        follows = number == self._newest + 1 or (self._unseen and number > self._newest)
        self.wrong += not follows
        self._newest = max(number, self._newest)

    def close(self) -> None:
        """Ends the network."""
        self._frames.close()
        self.tap.close()
