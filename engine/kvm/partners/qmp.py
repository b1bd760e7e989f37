"""QEMU's control channel, QMP: one JSON object a line (QEMU: docs/interop/qmp-spec.rst).

Our end of a socket pair, so there is no name that a stranger could connect to. A command waits for its answer, for a
while; events of QEMU that come in between are passed over, and so are answers to commands that nobody waits for any
more: each command has a number, which its answer repeats. Whoever calls is the only one.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from typing import Any

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.foreign import shown
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.language import tr

ANSWER_SECONDS = 5.0
MEANWHILE_SECONDS = 0.02  # how often, while an answer is waited for, what else has to be done is done
LONGEST_LINE = 1 << 20  # bytes: more is no answer of QEMU's
LONGEST_REASON = 200  # characters of a refusal that are quoted


class Qmp(Owner):
    """Our end of the channel. who: as sentences name the other end.

    patience: seconds that an answer may take. meanwhile: called again and again while an answer is waited for, which
    may take seconds on a busy machine. hopeless: asked as often why none will come, as a sentence; "": it may.
    """

    def __init__(self, connection: socket.socket, who: str) -> None:
        self._socket, self._who = connection, who
        self._left = b""  # what has come behind the newest line
        self.patience = ANSWER_SECONDS
        self.meanwhile: Callable[[], object] = lambda: None
        self.hopeless: Callable[[], str] = lambda: ""
        self._asked = 0  # commands: the number of the newest one

    def greet(self) -> str:
        """Takes the greeting, and asks for commands to be taken. The version of QEMU, as in "7.2.22".

        Raises EngineError, as do all commands, if no answer comes, or a refusal.
        """
        version = self._answer("QMP", time.monotonic() + self.patience).get("version", {}).get("qemu", {})
        self.execute("qmp_capabilities")
        return ".".join(str(int(version.get(part, 0))) for part in ("major", "minor", "micro"))

    def execute(self, command: str, **arguments: Any) -> Any:
        """What QEMU returns."""
        until = time.monotonic() + self.patience
        self._asked += 1
        asked = {"execute": command, "id": self._asked, **({"arguments": arguments} if arguments else {})}
        try:
            self._socket.settimeout(self.patience)
            self._socket.sendall(json.dumps(asked).encode() + b"\n")
        except OSError as error:
            raise EngineError(
                tr("{program} cannot be asked: {what}.", program=self._who, what=answer_of(error))
            ) from error
        return self._answer("return", until)

    def _answer(self, key: str, until: float) -> Any:
        """What the next line that answers the newest command holds under this key; the greeting has no number."""
        while True:
            line = self._line(until)
            try:
                said = json.loads(line)
            except (ValueError, RecursionError):
                said = None
            if not isinstance(said, dict):
                raise EngineError(tr("{program} answered something that is not QMP.", program=self._who))
            if said.get("id", self._asked) != self._asked:
                continue
            if key in said:
                return said[key]
            if "error" in said:
                error = said["error"]
                reason = shown(str(error.get("desc", error) if isinstance(error, dict) else error), LONGEST_REASON)
                raise EngineError(tr("{program} refuses: {reason}", program=self._who, reason=reason))

    def _line(self, until: float) -> bytes:
        """The next line."""
        while b"\n" not in self._left:
            try:
                self._socket.settimeout(MEANWHILE_SECONDS)
                piece = self._socket.recv(1 << 16)
            except TimeoutError as error:
                if why := self.hopeless():
                    raise EngineError(why) from error
                if time.monotonic() < until:
                    self.meanwhile()
                    continue
                raise EngineError(
                    tr("{program} did not answer for {seconds:.0f} s.", program=self._who, seconds=self.patience)
                ) from error
            except OSError as error:
                raise EngineError(
                    tr("{program} cannot be asked: {what}.", program=self._who, what=answer_of(error))
                ) from error
            if not piece or len(self._left) > LONGEST_LINE:
                raise EngineError(tr("{program} has hung up.", program=self._who))
            self._left += piece
        line, self._left = self._left.split(b"\n", 1)
        return line

    def close(self) -> None:
        self._socket.close()
