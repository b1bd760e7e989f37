"""The manual page says what every command takes, and man and its index take it as it is."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import typer

from bellwire.viz.cli.app import whole_command_line
from bellwire.viz.cli.desktop.manual_page import every_command, in_short_lines, manual_page

PLAIN = {"MANWIDTH": "100", "LC_ALL": "C.UTF-8", "MANROFFOPT": "-c", "MAN_KEEP_FORMATTING": ""}


@pytest.fixture(scope="module")
def program() -> Any:
    return whole_command_line()


@pytest.fixture(scope="module")
def page(program: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("man") / "bellwire.1"
    path.write_text(manual_page(program))
    return path


def as_read(page: Path) -> str:
    """What man shows, after it has complained of nothing."""
    command = ["man", "--warnings=w", "--local-file", str(page)]
    ran = subprocess.run(command, env=os.environ | PLAIN, capture_output=True, text=True, check=True)
    assert ran.stderr == ""
    return re.sub(r".\x08", "", ran.stdout)


def test_each_command_and_option_is_told(program: Any, page: Path) -> None:
    text = as_read(page)
    for name, command in every_command(program):
        begins = text.index(f"\n   bellwire {name}\n")
        section = text[begins : text.find("\n   bellwire ", begins + 1)]
        for one in command.params:
            if one.param_type_name == "option" and one.get_help_record(typer.Context(command)):
                assert all(option in section for option in (*one.opts, *one.secondary_opts)), (name, one.opts)
    for title in ("NAME", "SYNOPSIS", "OPTIONS", "EXIT STATUS", "ENVIRONMENT", "FILES", "EXAMPLES", "SEE ALSO"):
        assert f"\n{title}\n" in text


def test_every_example_is_a_command_that_there_is(program: Any, page: Path) -> None:
    lines = as_read(page).partition("\nEXAMPLES\n")[2].partition("\nSEE ALSO\n")[0].splitlines()
    words = [line.split()[1] for line in lines if re.match(r"^ {7}bellwire \w", line)]
    assert len(words) >= 3
    assert set(words) <= {*program.commands, "run.arrow"}


def test_the_index_finds_it(page: Path) -> None:
    ran = subprocess.run(["lexgrog", str(page)], capture_output=True, text=True, check=True)
    assert ran.stdout.endswith(': "bellwire - see how a KVM guest and its host signal each other"\n')


def test_no_text_is_a_request() -> None:
    assert (
        in_short_lines(".arrow and `--at '#median'` \\ ~ ^")
        == r"\&.arrow and \(ga\-\-at \(aq#median\(aq\(ga \e \(ti \(ha"
    )
    assert in_short_lines("") == r"\&"
    lines = in_short_lines("'x " * 60).splitlines()
    assert len(lines) > 1
    assert not any(line.startswith((".", "'")) for line in lines)
