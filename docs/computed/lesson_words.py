"""What a lesson's file may name: figures of a run, parts of the picture, stages, panels."""

from __future__ import annotations

from collections.abc import Iterable

from bellwire.engine.findings.assertion import COUNTS, STATISTICS
from bellwire.engine.folds.latency import LATENCIES
from bellwire.engine.scenarios.scenario import load_scenario


def words_of_lessons() -> str:
    """Markdown: a list, whose lines each say what can stand where. The parts are those of the round trip."""
    from bellwire.viz.lessons.lesson import LessonScene
    from bellwire.viz.lessons.lesson_file import parts_of_diagram
    from bellwire.viz.panels import PANELS
    from bellwire.viz.stages.anatomy import load_anatomy

    scenario = load_scenario("roundtrip")
    simple, extended = (
        parts_of_diagram(LessonScene(scenario, scenario, extended=extended)) for extended in (False, True)
    )
    statistics = names(f".{one}" for one in STATISTICS)
    return "\n".join(
        [
            f"- **Counts:** {names(COUNTS)}.",
            f"- **Latencies:** {names(LATENCIES)}, each with {statistics} or `.count`.",
            f"- **Panels:** {names(panel.name for panel in PANELS)}.",
            f"- **Stages:** {names(load_anatomy().stages)}.",
            f"- **Parts** of the round trip's picture: {names(simple)}.",
            f"- **Parts** of the extended one besides: {names(one for one in extended if one not in simple)}.",
        ]
    )


def names(words: Iterable[str]) -> str:
    """As code, with commas."""
    return ", ".join(f"`{word}`" for word in words)
