"""Another program's process, which does not outlive this one.

close() ends it; and should this process die, the kernel does (prctl(2), PR_SET_PDEATHSIG). That is bound to the thread
which started the child, so a thread of its own does, and stays with it. What the program said last on stderr is kept,
for the sentence about how it ended.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import IO

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr

PATIENCE_SECONDS = 2.0  # between SIGTERM and SIGKILL
MOST_WORDS = 4096  # bytes of what it says that are kept
# A process stands still that every look finds so, for so long: one whose calls are traced does for a moment again and
# again.
STOPPED_LOOKS, STOPPED_SECONDS = 8, 0.1
LOOK_SECONDS = 0.004  # who asks again so soon is told the same


def last_words(stream: IO[bytes]) -> str:
    """The last line of what comes until its end, however much that is."""
    tail = b""
    while piece := stream.read1(4096):  # type: ignore[attr-defined]
        tail = (tail + piece)[-MOST_WORDS:]
    lines = tail.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


class Standstill:
    """Whether a process stands still, stopped by a signal or a debugger: for somebody who looks again and again."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/stat")
        self._looks = 0  # that have all found it so
        self._since = self._looked = 0.0  # time.monotonic() of the first of these, and of the newest of all

    def look(self) -> bool:
        """Looks once more (proc(5), stat: T by a signal, t by a debugger). Without /proc nothing is known of it."""
        now = time.monotonic()
        if now - self._looked >= LOOK_SECONDS:
            self._looked = now
            self._looks = self._looks + 1 if self._state() in (b"T", b"t") else 0
            self._since = now if self._looks == 1 else self._since
        return self._looks >= STOPPED_LOOKS and now - self._since >= STOPPED_SECONDS

    def _state(self) -> bytes:
        try:
            return self._path.read_bytes().rpartition(b") ")[2][:1]
        except OSError:
            return b""


class OwnedProcess(subprocess.Popen[bytes]):
    """One that does not stay if the system refuses the rest of what starting it takes."""

    def __init__(self, command: list[str], fds: tuple[int, ...]) -> None:
        none = subprocess.DEVNULL
        try:
            super().__init__(command, pass_fds=fds, stdin=none, stdout=none, stderr=subprocess.PIPE)
        except OSError:
            if getattr(self, "pid", None) is not None:
                self.kill()
                self.wait()
            raise


class KeptProcess(Owner):
    """Runs a command, without a shell. Raises EngineError if it cannot be run.

    command: the program's name first. fds: of this process, which it gets under the same numbers.
    """

    def __init__(self, command: list[str], fds: tuple[int, ...]) -> None:
        self.program = command[0]
        self._command, self._fds = command, fds
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: OSError | None = None
        self._last_words = ""
        self._standstill: Standstill | None = None
        self._started = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        begin_thread(self._keeper)
        self._started.wait()
        if self._failure is not None:
            raise EngineError(
                tr(
                    "{program} cannot be run: {what}.",
                    program=self.program,
                    what=answer_of(self._failure),
                )
            )

    def _keep(self) -> None:
        """The thread: starts it, and stays until it has ended.

        setpriv (util-linux) becomes the program; without it close() alone ends it.
        """
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        try:
            self._process = OwnedProcess([*guard, *self._command], self._fds)
        except OSError as error:
            self._failure = error
        finally:
            self._started.set()
        if self._process:
            with self._process as process:
                self._last_words = last_words(process.stderr) if process.stderr else ""

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def __str__(self) -> str:
        return f"{self.program}, pid {self.pid}"

    @property
    def exit_code(self) -> int | None:
        """What it ended with, a signal's number below 0; None while it runs."""
        assert self._process is not None
        return None if self._keeper.is_alive() else self._process.returncode

    def stopped(self) -> bool:
        """Whether it stands still, as far as those tell who ask this again and again."""
        self._standstill = self._standstill or Standstill(self.pid)
        return self._standstill.look()

    def stop_told(self) -> str:
        """That it stands still, as a sentence; "" if it does not."""
        if not self.stopped():
            return ""
        return tr(
            "{program} stands still: a signal or a debugger has stopped it. kill -CONT {pid} undoes a signal.",
            program=self,
            pid=self.pid,
        )

    def ending(self, patience: float = 0.0) -> str:
        """How it ended, as a sentence; "" while it runs. patience: seconds to wait for that."""
        self._keeper.join(patience)
        if self._keeper.is_alive():
            return ""
        assert self._process is not None
        code = self._process.returncode
        how = tr("{program} ended with exit code {code}.", program=self, code=code)
        if code < 0:
            how = tr("{program} was killed by {signal}.", program=self, signal=signal.Signals(-code).name)
        return f"{how} {tr('It said: {words}', words=self._last_words)}" if self._last_words else how

    def close(self) -> None:
        """Ends it: by SIGTERM, or by SIGKILL if that takes too long or it stands still. May be called again."""
        assert self._process is not None
        if self._keeper.is_alive() and not self.stopped():  # which would not hear of it
            self._process.terminate()
            self._keeper.join(PATIENCE_SECONDS)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()
