"""Latencies as figures: percentiles that are known, and the curve."""

from __future__ import annotations

from bellwire.engine.attached.hops.figures import CURVE_EDGES, HopLatency
from bellwire.engine.folds.histogram import Histogram


def of_values(*ns: int) -> Histogram:
    """A histogram."""
    histogram = Histogram()
    histogram.record(ns)
    return histogram


def test_of_several_histograms_it_is_all_of_their_values() -> None:
    latency = HopLatency.of(of_values(1000, 2000), Histogram(), of_values(9000))
    assert (latency.count, latency.p50, latency.p99, latency.max) == (3, 2000, None, 9000)
    assert round(float(latency.curve.sum())) == 3
    assert latency.curve.size == CURVE_EDGES.size - 1


def test_of_nothing_nothing_is_known() -> None:
    latency = HopLatency.of(Histogram())
    assert (latency.count, latency.p50, latency.max) == (0, None, None)
