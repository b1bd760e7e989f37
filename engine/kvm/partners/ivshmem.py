"""An ivshmem server: who tells QEMUs which memory they share, and by which eventfds each interrupts the others.

QEMU: docs/specs/ivshmem-spec, "Client-Server protocol". A server waits for clients at a socket that has a name. This
one knows its clients before they are started, so there is neither name nor thread: all messages to a QEMU lie in its
connection, a socket pair, until it reads them. Each peer has one vector.
"""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import sys
import termios

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.kvm.owner import Belongings, Eventfd, Fd, Owner
from bellwire.engine.language import tr

VERSION = 0  # of the protocol
MEMORY_FOLLOWS = -1


class IvshmemServer(Owner):
    """The shared memory, of so many bytes, an eventfd for each of the peers 0, 1, ... and a connection to each.

    Raises EngineError if the system refuses one of them.
    """

    def __init__(self, size: int, peers: int) -> None:
        self._stack = Belongings()
        try:
            memory = self._stack.enter(SharedMemory(size))
            self.eventfds = [self._stack.enter(Eventfd()) for _ in range(peers)]
            self._connections = [self._connect() for _ in range(peers)]
            for number, (ours, _) in enumerate(self._connections):
                self._tell(ours, number, memory)
        except OSError as error:
            self.close()
            raise EngineError(tr("No memory can be shared by ivshmem: {what}.", what=answer_of(error))) from error
        except BaseException:
            self.close()
            raise

    def _connect(self) -> tuple[socket.socket, socket.socket]:
        """Our end and QEMU's."""
        ours, theirs = socket.socketpair()
        self._stack.callback(ours.close)
        self._stack.callback(theirs.close)
        return ours, theirs

    def _tell(self, connection: socket.socket, number: int, memory: Fd) -> None:
        """Everything that a peer is told: the version, its own number, the memory, and how each peer is interrupted."""
        tell_peer(connection, VERSION)
        tell_peer(connection, number)
        tell_peer(connection, MEMORY_FOLLOWS, memory.fd)
        for peer, eventfd in enumerate(self.eventfds):
            tell_peer(connection, peer, eventfd.fd)

    def connection(self, peer: int) -> socket.socket:
        """A QEMU's end, which stays ours to close."""
        return self._connections[peer][1]

    def has_read(self, peer: int) -> bool:
        """Whether it has taken all that it is told."""
        unread = fcntl.ioctl(self._connections[peer][0], termios.TIOCOUTQ, bytes(4))  # SIOCOUTQ: see unix(7)
        return int.from_bytes(unread, sys.byteorder) == 0

    def close(self) -> None:
        """Hangs up and closes. May be called again."""
        self._stack.close()


class SharedMemory(Fd):
    """A file without a name, of so many bytes, that nobody can make shorter. Raises OSError."""

    def __init__(self, size: int) -> None:
        super().__init__(os.memfd_create("ivshmem", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING))
        try:
            os.ftruncate(self.fd, size)
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        except BaseException:
            self.close()
            raise


def tell_peer(connection: socket.socket, number: int, fd: int = -1) -> None:
    """One message: 8 bytes, with or without a file descriptor."""
    socket.send_fds(connection, [struct.pack("<q", number)], [fd] if fd >= 0 else [])
