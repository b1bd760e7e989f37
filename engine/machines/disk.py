"""What a guest with a disk says of its requests, and what of it the disk's image holds."""

from __future__ import annotations

from typing import IO, Any

import numpy as np

from bellwire.engine._core import lib
from bellwire.engine.errors import EngineError
from bellwire.engine.kvm.vm import Memory
from bellwire.engine.language import tr_n

DISK_SIZE = lib.BW_SECTORS * lib.BW_SECTOR_SIZE  # bytes


def disk_truth(memory: Memory, image: IO[bytes]) -> dict[str, int]:
    """written, compared, wrong: sectors, says the guest; missing: of these, those that the image does not hold."""
    return {
        "written": says(memory, lib.BW_ST_SECTORS_WRITTEN),
        "compared": says(memory, lib.BW_ST_SECTORS_COMPARED),
        "wrong": says(memory, lib.BW_ST_SECTORS_WRONG),
        "missing": missing(says(memory, lib.BW_ST_SECTORS_WRITTEN), image),
    }


def disk_trouble(memory: Memory) -> EngineError | None:
    """A guest that read something else than it had written."""
    wrong = says(memory, lib.BW_ST_SECTORS_WRONG)
    if not wrong:
        return None
    return EngineError(
        tr_n(
            "The guest found {n} request that failed or brought something else than was written.",
            "The guest found {n} requests that failed or brought something else than was written.",
            wrong,
        )
    )


def says(memory: Memory, offset: int) -> int:
    """A number of 64 bits in the guest's status page."""
    return memory.get(lib.BW_STATUS + offset, "Q")


def missing(written: int, image: IO[bytes]) -> int:
    """Sectors that hold something else than the number of the newest write to them, in each 8 bytes.

    The newest write of all may have been done without the guest having heard of it.
    """
    image.seek(0)
    read = image.read(DISK_SIZE)  # less, if its server has made it shorter
    held = np.frombuffer(read.ljust(DISK_SIZE, b"\xff"), "<u8").reshape(lib.BW_SECTORS, -1)
    expected = newest_writes(written)
    next_write = np.uint64(written + 1 & 2**64 - 1)
    unheard = (written % lib.BW_SECTORS == np.arange(lib.BW_SECTORS))[:, None] & (held == next_write)
    return int(np.count_nonzero(np.any((held != expected[:, None]) & ~unheard, axis=1)))


def newest_writes(written: int) -> np.ndarray[Any, np.dtype[np.uint64]]:
    """The number of the newest write to each sector, 0 if there was none; write n goes to sector n - 1, and around.

    written: as the guest says, any number of 64 bits. Below 0 the arithmetic goes around as well, which is right.
    """
    sectors, newest = np.arange(lib.BW_SECTORS, dtype=np.uint64), np.full(lib.BW_SECTORS, written, np.uint64)
    numbers: np.ndarray[Any, np.dtype[np.uint64]] = newest - (newest - 1 - sectors) % lib.BW_SECTORS
    return np.where(sectors < newest, numbers, np.uint64(0))
