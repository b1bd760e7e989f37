"""qemu-storage-daemon: the back end of a disk, a program that knows nothing of us.

It exports a disk image by vhost-user-blk. Neither the image nor the socket has a name, so nothing of them can be left
behind: the image is a file without one, the socket's address is one that the kernel chose (unix(7), abstract).

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

from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.owner import Owner

PROGRAM = "qemu-storage-daemon"
PATIENCE_SECONDS = 2.0  # between SIGTERM and SIGKILL


def daemon_refusal() -> str:
    """ "" if the daemon is installed, else the sentence that says what brings it."""
    if shutil.which(PROGRAM):
        return ""
    return f"The back end of this scenario is missing: install {PROGRAM}, in Debian's package qemu-system-common."


def unnamed_image(size: int) -> IO[bytes]:
    """A file of zeros without a name. EngineError if it cannot be made."""
    try:
        file = tempfile.TemporaryFile(prefix="bellwire-")  # noqa: SIM115 (its owner closes it)
        file.truncate(size)
    except OSError as error:
        raise EngineError(f"The disk's image cannot be written: {error}.") from error
    return file


class StorageDaemon(Owner):
    """Runs the daemon with a disk of so many bytes. Raises EngineError if it is missing or cannot be run."""

    def __init__(self, size: int) -> None:
        if missing := daemon_refusal():
            raise EngineError(missing)
        with ExitStack() as undo:
            self.image = undo.enter_context(unnamed_image(size))
            self._listener = undo.enter_context(socket.socket(socket.AF_UNIX))
            self._listener.bind("")
            self._listener.listen(1)
            self._process: subprocess.Popen[str] | None = None
            self._failure: OSError | None = None
            self._last_words = ""
            self._started = threading.Event()
            self._keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
            self._keeper.start()
            self._started.wait()
            if self._failure is not None:
                raise EngineError(f"{PROGRAM} cannot be run: {self._failure.strerror}.")
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
            self._process = self._run()
        except OSError as error:
            self._failure = error
        self._started.set()
        if self._process:
            with self._process as process:
                self._last_words = process.communicate()[1].strip()

    def _run(self) -> subprocess.Popen[str]:
        fds = (self.image.fileno(), self._listener.fileno())
        none = subprocess.DEVNULL
        return subprocess.Popen(
            self._command(), pass_fds=fds, stdin=none, stdout=none, stderr=subprocess.PIPE, text=True, errors="replace"
        )

    @property
    def pid(self) -> int:
        """Of the process."""
        assert self._process is not None
        return self._process.pid

    def __str__(self) -> str:
        return f"{PROGRAM}, pid {self.pid}"

    def connect(self) -> socket.socket:
        """A connection to it, the only one that it takes. EngineError if it does not listen."""
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self._listener.getsockname())
        except OSError as error:
            connection.close()
            raise EngineError(f"{self} cannot be reached: {error.strerror}.") from error
        self._listener.close()
        return connection

    def ending(self, patience: float = 0.0) -> str:
        """How it ended, as a sentence; "" while it runs. patience: seconds to wait for that."""
        self._keeper.join(patience)
        if self._keeper.is_alive():
            return ""
        assert self._process is not None
        code = self._process.returncode
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        words = f" It said: {self._last_words.splitlines()[-1]}" if self._last_words else ""
        return f"{self} {how}.{words}"

    def close(self) -> None:
        """Ends it: by SIGTERM, or by SIGKILL if that takes too long. May be called again."""
        assert self._process is not None
        if self._keeper.is_alive():
            self._process.terminate()
            self._keeper.join(PATIENCE_SECONDS)
        if self._keeper.is_alive():
            self._process.kill()
            self._keeper.join()
        self._listener.close()
        self.image.close()
