"""Values in stretches: each share is that of the values that were there."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from bellwire.engine.folds import blocks as blocks_
from bellwire.engine.folds.blocks import FEW, MOST, Block, Blocks, Numbers
from bellwire.engine.folds.histogram import Histogram, bin_of


@pytest.mark.parametrize("count", [3, 48, MOST - 1, MOST, MOST + 1, 10_000, MOST * FEW - 1, MOST * FEW, 423_456])
@pytest.mark.parametrize("parts", [1, 13, 401])
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


def test_blocks_of_a_few_values_grow_without_being_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each drain adds to a dozen of these: all that grew in the same one made a frame four times as dear."""
    made, cut = list[int](), blocks_.pieces

    def noting(bins: Numbers, length: int) -> list[Block]:
        made.append(length)
        return cut(bins, length)

    monkeypatch.setattr(blocks_, "pieces", noting)
    blocks = Blocks()
    for _ in range(100):
        blocks.record(np.arange(300.0))
    assert (made, blocks.number) == ([], 30_000 // 256)
    assert blocks.shares(10**6, 3).tolist() == [1.0] * 3
    assert made == [256]


def test_blocks_that_become_one_are_counted_a_few_in_each_drain(monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them in one made a frame ten times as dear."""
    sizes, count = list[int](), blocks_.counted

    def noting(bins: Numbers, counts: Numbers) -> Block:
        sizes.append(bins.size)
        return count(bins, counts)

    monkeypatch.setattr(blocks_, "counted", noting)
    blocks, most = Blocks(), 0
    for _ in range(500):
        before = len(sizes)
        blocks.record(np.arange(1000.0))
        most = max(most, len(sizes) - before)
    assert blocks.number == 500_000 // 4096
    assert sizes
    assert most <= 4  # two, the one that the drain has filled, and one that the rounding allows
    assert blocks.shares(499, 3).tolist() == pytest.approx([0.5] * 3, abs=1e-3)
