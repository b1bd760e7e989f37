"""What the latencies of engine/folds/latency.py are called on the screen, within a sentence."""

from __future__ import annotations

from bellwire.engine.language import tr, tr_later

LATENCY_NAMES = {
    "doorbell": tr_later("doorbell"),
    "injection": tr_later("injection"),
    "round_trip": tr_later("round trip"),
    "store_cost": tr_later("store cost"),
}


def latency_name(name: str) -> str:
    """One of LATENCIES, in words: "round trip"."""
    return tr(LATENCY_NAMES[name])
