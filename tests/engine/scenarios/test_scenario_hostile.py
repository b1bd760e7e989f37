"""A scenario file that means no good is one sentence, or a scenario whose texts steer nobody."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.engine.errors import ScenarioError
from bellwire.engine.scenarios.rules import GUESTS
from bellwire.engine.scenarios.scenario import LARGEST_FILE, LONGEST_TEXTS, load_scenario_file

ROUNDTRIP = (GUESTS / "roundtrip.toml").read_text()


def written(folder: Path, text: str) -> Path:
    """A scenario file with this text."""
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "[" * 7000 + "]" * 7000,
        f"x = {'9' * 10_000}",
        f"x = 0x{'f' * 10_000}",
        f"rank = 0x{'f' * 10_000}\n" + ROUNDTRIP.replace("rank", "#"),
        "x." * 4000 + "y = 1",
        " " * (LARGEST_FILE + 1),
        ROUNDTRIP + "\n[lab]\nsteps = [{at_ms = 1, do = [1]}]",
        ROUNDTRIP + "\n[lab]\nsteps = [{at_ms = 1, do = {a = 1}}]",
        ROUNDTRIP + "\n[lab]\nsteps = [[1]]",
        ROUNDTRIP.replace("[pace]", '[pace]\nidle = ["hlt"]'),
        ROUNDTRIP.replace("[expect]", "[expect]\nends = nan"),
        ROUNDTRIP.replace("[pace]", f'[pace]\nidle = "{"x" * 10_000}"'),
    ],
)
def test_what_is_wrong_is_one_short_sentence(text: str, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError) as caught:
        load_scenario_file(written(tmp_path, text))
    assert len(str(caught.value)) < 1000
    assert "\n" not in str(caught.value)


def test_its_texts_steer_nobody_and_are_not_endless(tmp_path: Path) -> None:
    hostile = "\\u001b[31m\\u202e\\u0000" + "x" * 10_000
    title = next(line for line in ROUNDTRIP.splitlines() if line.startswith("title ="))
    scenario = load_scenario_file(written(tmp_path, ROUNDTRIP.replace(title, f'title = "{hostile}"')))
    assert scenario.title.startswith("␛[31m\\u202e␀xxx")
    assert len(scenario.title) < 3 * LONGEST_TEXTS["title"]
