"""What is offered is what there is: commands, options, scenarios, lessons, views, moments, settings, files."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import typer

from bellwire.engine.scenarios.scenario import list_scenarios, load_scenario
from bellwire.viz.cli.app import commands, main, whole_command_line
from bellwire.viz.cli.completing.asked_by_shell import typed_words
from bellwire.viz.cli.completing.offers import offers
from bellwire.viz.cli.completing.values import CHOICES, OF_METAVARIABLE, OF_OPTION, metavariables
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.lessons.lesson_file import lesson_paths
from bellwire.viz.pictures.asked import HIDDEN_FACTS, USUAL_SIZES
from bellwire.viz.pictures.moment import KINDS, NAMED_JOURNEYS
from bellwire.viz.text.assets import recorded_elsewhere
from bellwire.viz.text.languages import languages

SCENARIO_NAMES = [scenario.name for scenario in list_scenarios()]
LESSON_NAMES = [path.stem for path in lesson_paths()]
RECORDING_FILES = ["*.arrow", "*.arrows"]
RECORDINGS = {*RECORDING_FILES, *recorded_elsewhere()}


@pytest.fixture(scope="module")
def program() -> Any:
    return whole_command_line()


def offered(program: Any, line: str) -> list[str]:
    """The words for the last one of a line."""
    return [one.word for one in offers(program, typed_words(line)[1:])]


def test_the_first_word_is_a_command_a_scenario_or_a_file(program: Any) -> None:
    found = offered(program, "bellwire ")
    assert set(found) >= {*commands(), *SCENARIO_NAMES, *RECORDING_FILES, "*.toml", "*.md", "*.png"}
    assert len(found) == len(set(found))
    assert offered(program, "bellwire roundtrip-u")[0] == "roundtrip-userspace"
    assert "open" not in found


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("bellwire lesson ", {*LESSON_NAMES, "*.md"}),
        ("bellwire run ", {*SCENARIO_NAMES, "*.toml"}),
        ("bellwire quiz --lab ", {name for name in SCENARIO_NAMES if name.startswith("lab-")}),
        ("bellwire info ", set(RECORDING_FILES)),
        ("bellwire compare a.arrow ", RECORDINGS),
        ("bellwire replay lab-no", {"lab-no-eoi", "lab-no-eoi@kvm_amd", *RECORDING_FILES, "*.toml"}),
        ("bellwire shot x --view ", set(USUAL_SIZES)),
        ("bellwire shot x --hide ", set(HIDDEN_FACTS)),
        ("bellwire shot x --at ", {*KINDS, *(f"#{name}" for name in NAMED_JOURNEYS)}),
        ("bellwire shot roundtrip --part ", {n for t in blueprint_of(load_scenario("roundtrip")).tables for n in t}),
        ("bellwire shot x.arrow --part ", set()),
        ("bellwire --language ", set(languages())),
        ("bellwire --theme=", {"dark", "light", "projector", "print"}),
        ("bellwire roundtrip --theme p", {"projector", "print"}),
        ("bellwire call roundtrip --as ", {"c", "python", "rust", "bytes"}),
        ("bellwire desktop ", {"install", "remove", "show"}),
        ("bellwire desktop --prefix ", {"*/"}),
        ("bellwire run roundtrip --set ", {f"{name}=" for name in load_scenario("roundtrip").settings()}),
        ("bellwire run roundtrip --set irqfd=", {"on", "off"}),
        ("bellwire run roundtrip --set idle=", {"hlt", "spin"}),
        ("bellwire run roundtrip --set=pace=f", {"flat-out"}),
        ("bellwire run none --set pa", {"pace="}),
        ("bellwire run roundtrip --signals ", set()),
        ("bellwire run roundtrip --j", {"--json"}),
        ("bellwire run roundtrip --json --j", set()),
        ("bellwire run roundtrip --set burst=2 --se", {"--set", "--seconds"}),
        ("bellwire run roundtrip more", set()),
        ("bellwire info -- --js", set(RECORDING_FILES)),
        ("bellwire --vers", {"--version"}),
        ("bellwire shot 'my run.arrow' --at '#m", {"#median"}),
        (r"bellwire shot my\ run.arrow --at \#s", {"#slowest"}),
    ],
)
def test_what_may_stand_there_is_offered(program: Any, line: str, words: set[str]) -> None:
    found = offered(program, line)
    assert set(found) == words
    assert len(found) == len(words)


def test_every_value_of_every_command_is_known(program: Any) -> None:
    """What help calls a value by is known, or it is one of a few that help lists."""
    pairs = [(command, one) for command in every_command(program) for one in command.params if takes_a_value(one)]
    assert len(pairs) > 60
    for command, one in pairs:
        shown = (one.get_help_record(typer.Context(command)) or ("", ""))[0]
        known = (
            set(one.opts) & set(OF_OPTION) or CHOICES.search(shown) or set(metavariables(one)) <= set(OF_METAVARIABLE)
        )
        assert known, f"{command.name}: {shown} is neither in OF_OPTION nor in OF_METAVARIABLE of values.py"


def every_command(command: Any) -> list[Any]:
    """Itself, and those in it."""
    return [command, *(one for inner in getattr(command, "commands", {}).values() for one in every_command(inner))]


def takes_a_value(parameter: Any) -> bool:
    return not getattr(parameter, "is_flag", False) and not getattr(parameter, "hidden", False)


@pytest.mark.parametrize("line", ["bellwire ", "bellwire shot roundtrip --part ", "bellwire run roundtrip --set p"])
def test_it_imports_neither_qt_nor_arrow(line: str) -> None:
    """Which take longer than anybody waits for a Tab."""
    heavy = {"PySide6", "pyqtgraph", "pyarrow", "pydantic"}
    code = f"import sys; from bellwire.viz.cli.app import main; main(['complete', {line!r}])\n"
    code += f"print(*sorted({heavy!r} & {{name.split('.')[0] for name in sys.modules}}), file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout
    assert ran.stderr.strip() == ""


def test_it_prints_a_line_for_each(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["complete", "--", "run", "roundtrip", "--unit", "c"]) == 0
    assert capsys.readouterr().out == "cycles\t\n"
    assert main(["complete", "bellwire quiz --se"]) == 0
    assert capsys.readouterr().out == "--seed\tThe same N is the same guest again.\n"
