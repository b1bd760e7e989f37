"""What commands that run a scenario have in common."""

from __future__ import annotations

import pytest

from bellwire.viz.cli.runs import say_dormant, scenario_named


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["coalesced=on"], "coalesced does nothing in this run while the ioeventfd takes the doorbells"),
        (["coalesced=on", "ioeventfd=off"], ""),
        (["pace=100"], ""),
        (None, ""),
    ],
)
def test_what_was_set_in_vain_is_said(
    settings: list[str] | None, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    say_dormant(scenario_named("doorbell-pio", settings), settings)
    told = capsys.readouterr()
    assert told.out == ""
    assert (said in told.err) if said else (told.err == "")
