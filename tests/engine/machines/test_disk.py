"""What a guest with a disk must have written, by the numbers of its writes."""

from __future__ import annotations

import numpy as np
import pytest

from bellwire.engine._core import lib
from bellwire.engine.machines.disk import newest_writes


def test_the_newest_write_to_each_sector() -> None:
    sectors = lib.BW_SECTORS
    for written in (0, 1, 5, sectors, sectors + 1, 3 * sectors + 7):
        image = np.zeros(sectors, np.uint64)
        for write in range(1, written + 1):
            image[(write - 1) % sectors] = write
        assert np.array_equal(newest_writes(written), image)


@pytest.mark.parametrize("written", [2**63 - 1, 2**63, 2**64 - 1])
def test_the_newest_writes_of_a_guest_that_lies(written: int) -> None:
    newest = [int(number) for number in newest_writes(written)]
    assert [(number - 1) % lib.BW_SECTORS for number in newest] == list(range(lib.BW_SECTORS))
    assert max(newest) == written
    assert min(newest) == written - lib.BW_SECTORS + 1
