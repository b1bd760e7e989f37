"""The facts of a card: as many as have room, each one whole."""

from __future__ import annotations

import pytest
from PySide6.QtGui import QFontMetricsF

from bellwire.viz.style.card import as_many_as_fit
from bellwire.viz.style.theme import DARK

FACTS = ("the count waits", "5.04 s held", "200 µs across", "standing still")


@pytest.mark.usefixtures("qapp")
def test_no_fact_but_the_first_is_cut() -> None:
    """ "200 µs across · standi…" stood in every window that is not wide."""
    metrics = QFontMetricsF(DARK.font(11, mono=True))
    some = [" · ".join(FACTS[:n]) for n in range(1, 5)]
    room = metrics.horizontalAdvance(some[-1])
    told = [as_many_as_fit(some[-1], metrics, room - less) for less in range(round(room - 1))]
    whole = [words for words in told if not words.endswith("…") and words]
    assert list(dict.fromkeys(whole)) == some[::-1]
    assert all(" · " not in words for words in told if words not in some)


@pytest.mark.usefixtures("qapp")
def test_a_single_fact_is_cut() -> None:
    metrics = QFontMetricsF(DARK.font(11, mono=True))
    assert as_many_as_fit("median per 50 ms", metrics, metrics.horizontalAdvance("median p…") + 1) == "median p…"
