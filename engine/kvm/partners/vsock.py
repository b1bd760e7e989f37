"""The host's end of a socket to a guest (vsock(7)): connects, and looks at all that the guest sends."""

from __future__ import annotations

import errno
import socket
import struct

from bellwire.engine._core import lib
from bellwire.engine.errors import check
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.language import tr

ROOM = 1 << 22  # bytes that the guest may be ahead of whoever looks
PIECE = 1 << 16
MOST_AT_ONCE = 64  # pieces that one look takes
FIRST = 2  # the number of the first packet that carries bytes: the one before is the answer to the connection


class VsockConnection(Owner):
    """A connection to the guest of this address, which grants it by its first packet. KvmError if none can be made.

    arrived: bytes of the guest; wrong: of these, those that are not what the guest sends at that place.
    """

    def __init__(self, cid: int) -> None:
        fd = check(lib.bw_vsock_connect(cid, lib.BW_VSOCK_PORT, ROOM), tr("A socket to the guest"))
        self._socket = socket.socket(fileno=fd)
        self.arrived = self.wrong = 0
        self.hung_up = False

    def look(self) -> None:
        """Takes what has come since."""
        for _ in range(MOST_AT_ONCE):
            if not self._take():
                break

    def _take(self) -> bool:
        """One piece; False if there is none now."""
        try:
            piece = self._socket.recv(PIECE)
        except BlockingIOError:
            return False
        except OSError as error:
            self.hung_up = error.errno != errno.ENOTCONN
            return False
        self.hung_up = not piece
        expected = sent_from(self.arrived, len(piece))
        if piece != expected:
            self.wrong += sum(one != other for one, other in zip(piece, expected, strict=True))
        self.arrived += len(piece)
        return bool(piece)

    def close(self) -> None:
        """Ends it."""
        self._socket.close()


def sent_from(place: int, size: int) -> bytes:
    """What the guest sends from its byte number `place` (from 0) on: each packet's number, again and again."""
    first, last = place // lib.BW_VSOCK_PAYLOAD, (place + size) // lib.BW_VSOCK_PAYLOAD + 1
    words = lib.BW_VSOCK_PAYLOAD // 8
    whole = b"".join(struct.pack("<Q", FIRST + number) * words for number in range(first, last))
    offset = place - first * lib.BW_VSOCK_PAYLOAD
    return whole[offset : offset + size]
