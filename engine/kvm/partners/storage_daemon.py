"""qemu-storage-daemon: the back end of a disk, a program that knows nothing of us.

It exports a disk image by vhost-user-blk. The image is a file without a name, so nothing of it can be left behind. The
socket has one in a folder of our own, which nobody else may enter, and only until we are connected, which is before the
daemon is started: no stranger can be first. (An address that the kernel chooses is open to every user of the machine.)
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.kvm.owner import Owner
from bellwire.engine.kvm.partners.kept_process import KeptProcess
from bellwire.engine.kvm.partners.socket_name import socket_name
from bellwire.engine.language import tr

PROGRAM = "qemu-storage-daemon"


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
            with (
                tempfile.TemporaryDirectory(prefix="bellwire-") as folder,  # of mode 0700
                socket_name(Path(folder, "socket")) as name,
            ):
                listener.bind(name)
                listener.listen(1)
                connection.connect(name)
        except OSError as error:
            raise EngineError(
                tr("No socket can be made for {program}: {what}.", program=PROGRAM, what=answer_of(error))
            ) from error
        undo.pop_all()
    return listener, connection


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
            self._process = KeptProcess(self._command(), (self.image.fileno(), self._listener.fileno()))
            self._listener.close()
            undo.pop_all()

    def _command(self) -> list[str]:
        image, listener = self.image.fileno(), self._listener.fileno()
        return [
            PROGRAM,
            *("--blockdev", f"driver=file,node-name=disk,filename=/proc/self/fd/{image}"),
            *("--export", f"type=vhost-user-blk,id=e,node-name=disk,addr.type=fd,addr.str={listener},writable=on"),
        ]

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    def __str__(self) -> str:
        return str(self._process)

    def connect(self) -> socket.socket:
        """The connection to it, the only one that it takes; the caller's from now on."""
        return self._connection

    def stop_told(self) -> str:
        """That it stands still, as a sentence; "" if it does not, as far as those tell who ask this again and again."""
        return self._process.stop_told()

    def ending(self, patience: float = 0.0) -> str:
        """How it ended, as a sentence; "" while it runs. patience: seconds to wait for that."""
        return self._process.ending(patience)

    def close(self) -> None:
        """Ends it. May be called again."""
        self._process.close()
        self._connection.close()
        self.image.close()
