"""qemu-storage-daemon: the back end of a disk, a program that knows nothing of us.

It exports a disk image by vhost-user-blk. The image is a file without a name, so nothing of it can be left behind. The
socket has one in a folder of our own, which nobody else may enter, and only until we are connected, which is before the
daemon is started: no stranger can be first. (An address that the kernel chooses is open to every user of the machine.)

The daemon does not outlive its owner. close() ends it; and should this process die, the kernel does (prctl(2),
PR_SET_PDEATHSIG). That is bound to the thread which started the child, so a thread of its own does, and stays with it.
"""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from contextlib import ExitStack
from typing import IO

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.language import tr

PROGRAM = "qemu-storage-daemon"
PATIENCE_SECONDS = 2.0  # between SIGTERM and SIGKILL
MOST_WORDS = 4096  # bytes of what it says that are kept


def daemon_refusal() -> str:
    """ "" if the daemon is installed, else the sentence that says what brings it."""
    if shutil.which(PROGRAM):
        return ""
    return tr(
        "The back end of this scenario is missing: install {program}, in Debian's package qemu-system-common.",
        program=PROGRAM,
    )


def unnamed_image(size: int) -> IO[bytes]:
    """A file of zeros without a name. EngineError if it cannot be made."""
    try:
        file = tempfile.TemporaryFile(prefix="bellwire-")  # noqa: SIM115 (its owner closes it)
        file.truncate(size)
    except OSError as error:
        raise EngineError(tr("The disk's image cannot be written: {error}.", error=answer_of(error))) from error
    return file


def connected() -> tuple[socket.socket, socket.socket]:
    """A listener, which takes one connection, and that connection; nothing of them has a name any more."""
    with ExitStack() as undo:
        try:
            listener = undo.enter_context(socket.socket(socket.AF_UNIX))
            connection = undo.enter_context(socket.socket(socket.AF_UNIX))
            with tempfile.TemporaryDirectory(prefix="bellwire-") as folder:  # of mode 0700
                listener.bind(f"{folder}/socket")
                listener.listen(1)
                connection.connect(f"{folder}/socket")
        except OSError as error:
            raise EngineError(
                tr("No socket can be made for {program}: {what}.", program=PROGRAM, what=answer_of(error))
            ) from error
        undo.pop_all()
    return listener, connection


def last_words(stream: IO[bytes]) -> str:
    """The last line of what comes until its end, however much that is."""
    tail = b""
    while piece := stream.read1(4096):  # type: ignore[attr-defined]
        tail = (tail + piece)[-MOST_WORDS:]
    lines = tail.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""


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


class StorageDaemon(Owner):
    """Runs the daemon with a disk of so many bytes. Raises EngineError if it is missing or cannot be run."""

    def __init__(self, size: int) -> None:
        if missing := daemon_refusal():
            raise EngineError(missing)
        with ExitStack() as undo:
            self.image = undo.enter_context(unnamed_image(size))
            self._listener, self._connection = connected()
            undo.enter_context(self._listener)
            undo.enter_context(self._connection)
            self._process: subprocess.Popen[bytes] | None = None
            self._failure: OSError | None = None
            self._last_words = ""
            self._started = threading.Event()
            self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
            begin_thread(self._keeper)
            self._started.wait()
            if self._failure is not None:
                raise EngineError(
                    tr(
                        "{program} cannot be run: {what}.",
                        program=PROGRAM,
                        what=answer_of(self._failure),
                    )
                )
            self._listener.close()
            undo.pop_all()

    def _command(self) -> list[str]:
        """setpriv (util-linux) becomes the daemon; without it close() alone ends the daemon."""
        image, listener = self.image.fileno(), self._listener.fileno()
        guard = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        return [
            *(*guard, PROGRAM),
            *("--blockdev", f"driver=file,node-name=disk,filename=/proc/self/fd/{image}"),
            *("--export", f"type=vhost-user-blk,id=e,node-name=disk,addr.type=fd,addr.str={listener},writable=on"),
        ]

    def _keep(self) -> None:
        """The thread: starts it, and stays until it has ended."""
        try:
            self._process = OwnedProcess(self._command(), (self.image.fileno(), self._listener.fileno()))
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
        return f"{PROGRAM}, pid {self.pid}"

    def connect(self) -> socket.socket:
        """The connection to it, the only one that it takes; the caller's from now on."""
        return self._connection

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
        """Ends it: by SIGTERM, or by SIGKILL if that takes too long. May be called again."""
        assert self._process is not None
        if self._keeper.is_alive():
            self._process.terminate()
            self._keeper.join(PATIENCE_SECONDS)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()
        self._connection.close()
        self.image.close()
