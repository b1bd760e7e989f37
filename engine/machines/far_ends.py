"""Where that comes out again which a guest has handed to a worker of the kernel, whoever the VMM is."""

from __future__ import annotations

import errno
import random
from abc import ABC, abstractmethod
from collections.abc import Callable

from bellwire.engine.errors import EngineError, KvmError
from bellwire.engine.kvm.owner import Belongings
from bellwire.engine.kvm.partners.tap import TapNetwork
from bellwire.engine.kvm.partners.vsock import VsockConnection
from bellwire.engine.language import tr

FIRST_CID, LAST_CID = 3, 2**32 - 2  # that a guest may have
TRIES = 100  # addresses, of which another guest may have one


class FarEnd(ABC):
    """The other end of a device."""

    def connect(self) -> None:  # noqa: B027 - where nothing is to be done
        """The guest takes interrupts from now on."""

    @abstractmethod
    def look(self) -> None:
        """Looks at what has come out."""

    @abstractmethod
    def truth(self) -> dict[str, int]:
        """What came out, in numbers; wrong: how much of it was not what the guest sends."""

    @abstractmethod
    def trouble(self) -> EngineError | None:
        """That something came out wrong, or that nothing comes any more."""


class NetworkEnd(FarEnd):
    """Of a network card: a tap device, in a network of its own."""

    def __init__(self, belongings: Belongings) -> None:
        self.network = belongings.enter(TapNetwork())

    def look(self) -> None:
        """Looks at the frames that have come out."""
        self.network.look()

    def truth(self) -> dict[str, int]:
        """frames: that came out; looked_at: of these; wrong: of those."""
        network = self.network
        return {"frames": network.arrived, "looked_at": network.looked_at, "wrong": network.wrong}

    def trouble(self) -> EngineError | None:
        """A frame that came out wrong."""
        if not self.network.wrong:
            return None
        return EngineError(tr("A frame came out of the tap device that is not the next one of the guest's."))


class SocketEnd(FarEnd):
    """Of a socket: a connection of this program's, which the guest's first packet grants."""

    def __init__(self, belongings: Belongings, take: Callable[[int], None]) -> None:
        """take: gives the guest an address; KvmError if it cannot have it."""
        self._belongings = belongings
        self.cid = free_address(take)
        self.connection: VsockConnection | None = None  # once the guest takes interrupts

    def connect(self) -> None:
        """Asks the guest for a connection."""
        self.connection = self._belongings.enter(VsockConnection(self.cid))

    def look(self) -> None:
        """Looks at the bytes that have come."""
        if self.connection:
            self.connection.look()

    def truth(self) -> dict[str, int]:
        """bytes: that have arrived; wrong: of these."""
        connection = self.connection
        return {
            "bytes": connection.arrived if connection else 0,
            "wrong": connection.wrong if connection else 0,
        }

    def trouble(self) -> EngineError | None:
        """Bytes that are not those of the guest, or a connection that has ended."""
        if self.connection and self.connection.wrong:
            return EngineError(tr("Bytes have come out of the socket that the guest has not sent so."))
        if self.connection and self.connection.hung_up:
            return EngineError(tr("The connection to the guest has ended."))
        return None


def free_address(take: Callable[[int], None]) -> int:
    """The address of a guest that no other guest of this machine has, taken by take(), which may raise KvmError."""
    for left in reversed(range(TRIES)):
        cid = random.randint(FIRST_CID, LAST_CID)
        try:
            take(cid)
        except KvmError as error:
            if error.errno != errno.EADDRINUSE or not left:
                raise
        else:
            break
    return cid
