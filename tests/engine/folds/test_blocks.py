"""Values in stretches: each share is that of the values that were there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bellwire.engine.folds.blocks import MOST, Blocks
from bellwire.engine.folds.histogram import Histogram, bin_of


@pytest.mark.parametrize("count", [3, 48, MOST - 1, MOST, MOST + 1, 10_000, 123_456])
@pytest.mark.parametrize("parts", [1, 13])
def test_the_shares_of_stretches_are_those_of_the_values(count: int, parts: int) -> None:
    values = np.random.default_rng(count).lognormal(9, 0.5, count)
    blocks, histogram = Blocks(), Histogram()
    for part in np.array_split(values, parts):
        blocks.record(part)
        histogram.record(part)
    assert blocks.count == count
    assert len(blocks._blocks) < MOST
    upto = int(bin_of(np.array([histogram.percentile(70)]))[0])
    used = np.rint(values).astype(np.int64)[: len(blocks._blocks) * blocks._length]
    assert used.size > 0.98 * count
    for stretches in (3, 6, 48):
        shares = blocks.shares(upto, stretches)
        if stretches > count:
            assert shares.size == 0
            continue
        edges = np.arange(stretches + 1) * len(blocks._blocks) // stretches * blocks._length
        expected = [np.mean(bin_of(used[a:b]) <= upto) for a, b in itertools.pairwise(edges)]
        assert shares == pytest.approx(expected)


def test_nothing_is_no_stretch() -> None:
    blocks = Blocks()
    blocks.record([])
    assert blocks.shares(5, 3).size == 0
