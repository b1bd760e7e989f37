"""io_uring as the signaller: the kernel signals the irqfd once it has read a block of a file for the guest.

The I/O thread submits the read, into the guest's memory, and does not write the irqfd: its eventfd is registered with
io_uring (IORING_REGISTER_EVENTFD), which signals it at the completion. After each read the block in the guest's memory
is compared with the file's.
"""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import ExitStack
from typing import IO

import numpy as np

from bellwire.engine._core import ffi, lib
from bellwire.engine.errors import EngineError, answer_of, check
from bellwire.engine.kvm.owner import Eventfd, Handle
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr, tr_later

BLOCKS = 256
REASONS = {
    errno.EPERM: tr_later("it is disabled, by the sysctl kernel.io_uring_disabled or by a filter of system calls"),
    errno.EACCES: tr_later("it is disabled, by the sysctl kernel.io_uring_disabled or by a filter of system calls"),
    errno.ENOSYS: tr_later("this kernel has none, or one older than Linux 5.6"),
}


def refused(error: int) -> str:
    """A negative errno as a sentence."""
    why = tr(REASONS[-error]) if -error in REASONS else os.strerror(-error)
    return tr("io_uring cannot be used: {why}.", why=why)


def uring_refusal() -> str:
    """ "" if this host has an io_uring that signals eventfds, else the sentence that says why not."""
    with Eventfd() as eventfd:
        error = ffi.new("int *")
        handle = lib.bw_uring_new(-1, 1, ffi.NULL, eventfd.fd, error)
        if handle == ffi.NULL:
            return refused(error[0])
        lib.bw_uring_free(handle)
    return ""


def numbered_file() -> IO[bytes]:
    """A file without a name in which each 8 bytes are their own number. EngineError if it cannot be written."""
    with ExitStack() as undo:
        try:
            file = undo.enter_context(tempfile.TemporaryFile(prefix="bellwire-"))
            file.write(np.arange(BLOCKS * lib.BW_BLOCK_SIZE // 8, dtype="<u8").tobytes())
            file.flush()
        except OSError as error:
            raise EngineError(
                tr("The file that is to be read cannot be written: {error}.", error=answer_of(error))
            ) from error
        undo.pop_all()
        return file


class Uring(Handle):
    """A file on disk and the io_uring that reads it into the guest's memory (engine/core/uring.c).

    Raises EngineError, one sentence, where io_uring is disabled or missing.
    """

    def __init__(self, memory: Memory, eventfd: Eventfd) -> None:
        self._file = numbered_file()
        buffer = ffi.cast("char *", memory.pointer) + lib.BW_BLOCK
        error = ffi.new("int *")
        handle = lib.bw_uring_new(self._file.fileno(), BLOCKS, buffer, eventfd.fd, error)
        super().__init__(handle, lib.bw_uring_free)
        if self.handle == ffi.NULL:
            self._file.close()
            raise EngineError(refused(error[0]))

    @property
    def completed(self) -> int:
        """Blocks read."""
        return int(lib.bw_uring_completed(self.handle))

    @property
    def wrong(self) -> int:
        """Reads after which the guest's memory held something else than the file's block."""
        return int(lib.bw_uring_wrong(self.handle))

    def read(self, number: int) -> None:
        """Reads block number % BLOCKS, and waits until it is read: until the eventfd was signalled."""
        check(lib.bw_uring_read(self.handle, number), tr("reading block {number} by io_uring", number=number))

    def close(self) -> None:
        super().close()
        self._file.close()
