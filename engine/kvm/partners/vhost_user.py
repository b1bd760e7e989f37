"""The front end of vhost-user: hands a guest's memory, queue and eventfds to a back end in another process.

Protocol: QEMU's documentation, "Vhost-user Protocol" (interop/vhost-user). A message is a header (request, flags, size
of the payload; 32 bits each) and a payload, over a Unix socket; file descriptors travel beside it (SCM_RIGHTS). One
method is one message and is named after it.
"""

from __future__ import annotations

import select
import socket
import struct
import time
from enum import IntEnum

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.kvm.owner import Eventfd, Owner
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr

ANSWER_SECONDS = 10.0  # how long the back end may take over all of an answer, or over taking a message
ENDING_SECONDS = 3.0  # the same while a session ends

VERSION, REPLY, NEED_REPLY = 0x1, 0x4, 0x8  # flags of a header
VERSION_MASK = 0x3
HEADER = struct.Struct("<III")

VIRTIO_F_VERSION_1 = 1 << 32
VHOST_USER_F_PROTOCOL_FEATURES = 1 << 30
PROTOCOL_F_REPLY_ACK = 1 << 3
PROTOCOL_F_CONFIG = 1 << 9


class Request(IntEnum):
    """The messages that this front end sends, by the protocol's numbers."""

    GET_FEATURES = 1
    SET_FEATURES = 2
    SET_OWNER = 3
    SET_MEM_TABLE = 5
    SET_VRING_NUM = 8
    SET_VRING_ADDR = 9
    SET_VRING_BASE = 10
    GET_VRING_BASE = 11
    SET_VRING_KICK = 12
    SET_VRING_CALL = 13
    GET_PROTOCOL_FEATURES = 15
    SET_PROTOCOL_FEATURES = 16
    SET_VRING_ENABLE = 18


def message(request: Request, payload: bytes, flags: int) -> bytes:
    """A message as it is sent."""
    return HEADER.pack(request, VERSION | flags, len(payload)) + payload


def vring(queue: int) -> bytes:
    """The payload of a message that only brings a queue's eventfd."""
    return struct.pack("<Q", queue)


class FrontEnd(Owner):
    """One connection to a back end. Every method raises EngineError, one sentence, if the back end fails it.

    The back end is a stranger: what it sends is read as far as the protocol says and not a byte further, in however
    many pieces it comes, within a time limit for all of them. File descriptors that it sends are dropped by the kernel.
    Once acknowledgements are negotiated, a method that returns is in force at the back end.
    """

    def __init__(self, connection: socket.socket, name: str) -> None:
        self.name = name
        self._socket = connection
        self._patience = ANSWER_SECONDS
        self._acknowledged = False

    def close(self) -> None:
        self._socket.close()

    @property
    def hung_up(self) -> bool:
        """Whether the back end has closed the connection."""
        waiting = select.poll()
        waiting.register(self._socket, select.POLLRDHUP)
        return bool(waiting.poll(0))

    # -- what both can do ---------------------------------------------------------------------------------------------

    def negotiate(self, required: int, wanted: int = 0) -> int:
        """Agrees on features: all of `required`, of `wanted` what is offered. Returns them."""
        required |= VHOST_USER_F_PROTOCOL_FEATURES
        offered = self.get_features()
        if missing := required & ~offered:
            raise EngineError(
                tr(
                    "{name} does not offer the features {missing:#x}, which are needed here.",
                    name=self.name,
                    missing=missing,
                )
            )
        protocol = self.get_protocol_features() & (PROTOCOL_F_REPLY_ACK | PROTOCOL_F_CONFIG)
        self.set_protocol_features(protocol)
        self._acknowledged = bool(protocol & PROTOCOL_F_REPLY_ACK)
        self.set_owner()
        agreed = required | (wanted & offered)
        self.set_features(agreed)
        return agreed

    def get_features(self) -> int:
        """What the back end and its device offer, as bits."""
        return self._ask_number(Request.GET_FEATURES)

    def set_features(self, features: int) -> None:
        """What is used of it."""
        self._order(Request.SET_FEATURES, struct.pack("<Q", features))

    def get_protocol_features(self) -> int:
        """What the back end offers of the protocol itself."""
        return self._ask_number(Request.GET_PROTOCOL_FEATURES)

    def set_protocol_features(self, features: int) -> None:
        """What is used of it."""
        self._order(Request.SET_PROTOCOL_FEATURES, struct.pack("<Q", features))

    def set_owner(self) -> None:
        """This connection owns the session."""
        self._order(Request.SET_OWNER)

    # -- the guest ----------------------------------------------------------------------------------------------------

    def set_mem_table(self, memory: Memory) -> None:
        """All of the guest's memory, as one region from guest-physical address 0."""
        region = struct.pack("<QQQQ", 0, memory.size, memory.address, 0)
        self._order(Request.SET_MEM_TABLE, struct.pack("<II", 1, 0) + region, [memory.fd])

    def set_vring_num(self, queue: int, size: int) -> None:
        """How many descriptors the queue has."""
        self._order(Request.SET_VRING_NUM, struct.pack("<II", queue, size))

    def set_vring_base(self, queue: int, index: int) -> None:
        """The available index to begin at."""
        self._order(Request.SET_VRING_BASE, struct.pack("<II", queue, index))

    def set_vring_addr(self, queue: int, memory: Memory, descriptors: int, used: int, available: int) -> None:
        """Where the queue is: guest-physical addresses, which travel as this process's own, as the protocol has it."""
        places = [memory.address + place for place in (descriptors, used, available)]
        self._order(Request.SET_VRING_ADDR, struct.pack("<IIQQQQ", queue, 0, *places, 0))

    def set_vring_call(self, queue: int, eventfd: Eventfd) -> None:
        """What the back end signals when it has used buffers. It may do so once at once, "in case"."""
        self._order(Request.SET_VRING_CALL, vring(queue), [eventfd.fd])

    def set_vring_kick(self, queue: int, eventfd: Eventfd) -> None:
        """What the back end waits for; this starts the queue."""
        self._order(Request.SET_VRING_KICK, vring(queue), [eventfd.fd])

    def set_vring_enable(self, queue: int, on: bool) -> None:
        """Whether the back end serves the queue."""
        self._order(Request.SET_VRING_ENABLE, struct.pack("<II", queue, int(on)))

    def get_vring_base(self, queue: int) -> int:
        """Stops the queue; what was under way is done. Returns the available index that it came to."""
        self._patience = min(self._patience, ENDING_SECONDS)
        answer = self._ask(Request.GET_VRING_BASE, struct.pack("<II", queue, 0), 8)
        return int(struct.unpack("<II", answer)[1])

    # -- messages -----------------------------------------------------------------------------------------------------

    def _order(self, request: Request, payload: bytes = b"", fds: list[int] | None = None) -> None:
        """A message that is not answered, or only by whether it worked."""
        self._send(request, payload, fds or [], NEED_REPLY if self._acknowledged else 0)
        if self._acknowledged and (error := struct.unpack("<Q", self._receive(request, 8))[0]):
            raise EngineError(
                tr("{name} refused {request} ({error}).", name=self.name, request=request.name, error=error)
            )

    def _ask(self, request: Request, payload: bytes, size: int) -> bytes:
        self._send(request, payload, [], 0)
        return self._receive(request, size)

    def _ask_number(self, request: Request) -> int:
        return int(struct.unpack("<Q", self._ask(request, b"", 8))[0])

    def _send(self, request: Request, payload: bytes, fds: list[int], flags: int) -> None:
        """The file descriptors go with the first byte."""
        data, until = message(request, payload, flags), time.monotonic() + self._patience
        try:
            self._wait_until(until)
            data = data[socket.send_fds(self._socket, [data], fds) :]
            while data:
                self._wait_until(until)
                data = data[self._socket.send(data) :]
        except TimeoutError as error:
            raise EngineError(
                tr(
                    "{name} did not take {request} within {patience:g} s.",
                    name=self.name,
                    request=request.name,
                    patience=self._patience,
                )
            ) from error
        except OSError as error:
            raise EngineError(
                tr(
                    "{name} cannot be sent {request}: {what}.",
                    name=self.name,
                    request=request.name,
                    what=answer_of(error),
                )
            ) from error

    def _receive(self, request: Request, size: int) -> bytes:
        """The payload of the answer, of exactly that size."""
        until = time.monotonic() + self._patience
        answered, flags, length = HEADER.unpack(self._read(request, HEADER.size, until))
        well = flags & REPLY and flags & VERSION_MASK == VERSION
        if (answered, length) != (request, size) or not well:
            what = f"request {answered}, flags {flags:#x}, {length} bytes"
            raise EngineError(
                tr(
                    "{name} answered {request} by something else ({what}).",
                    name=self.name,
                    request=request.name,
                    what=what,
                )
            )
        return self._read(request, size, until)

    def _read(self, request: Request, size: int, until: float) -> bytes:
        """So many bytes, in however many pieces they come."""
        data = b""
        try:
            while len(data) < size:
                self._wait_until(until)
                if not (piece := self._socket.recv(size - len(data))):
                    raise EngineError(
                        tr(
                            "{name} closed the connection instead of answering {request}.",
                            name=self.name,
                            request=request.name,
                        )
                    )
                data += piece
        except TimeoutError as error:
            raise EngineError(
                tr(
                    "{name} did not answer {request} within {patience:g} s.",
                    name=self.name,
                    request=request.name,
                    patience=self._patience,
                )
            ) from error
        except OSError as error:
            raise EngineError(
                tr(
                    "{name} did not answer {request}: {what}.",
                    name=self.name,
                    request=request.name,
                    what=answer_of(error),
                )
            ) from error
        return data

    def _wait_until(self, moment: float) -> None:
        """The next call on the socket waits no longer; TimeoutError if it is that late already."""
        left = moment - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._socket.settimeout(left)
