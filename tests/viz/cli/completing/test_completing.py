"""Tab in real shells: what is typed becomes a word of the command line, quoted as that shell needs it."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bellwire.viz.text.assets import asset
from tests.support.commands import command_in

TAB, BEGINNING, END = "\t", "\x01", "\x05"  # keys, as readline and zsh's line editor have them
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"], "bind 'set bell-style none'; source {script}"),
    "zsh": (["zsh", "-f", "-i"], "unsetopt beep; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D"),
}
# What is typed before Tab, and the words that the line has then.
TYPED = {
    "bellwire doct": ["bellwire", "doctor"],
    "bellwire shot my": ["bellwire", "shot", "my run.arrow"],
    "bellwire shot 'my": ["bellwire", "shot", "my run.arrow"],
    "bellwire shot x --at '#sl": ["bellwire", "shot", "x", "--at", "#slowest"],
    "bellwire shot x --theme=pro": ["bellwire", "shot", "x", "--theme=projector"],
    "bellwire run x --set irqfd=of": ["bellwire", "run", "x", "--set", "irqfd=off"],
    "bellwire ./sub/": ["bellwire", "./sub/deep.arrow"],
    "bellwire handout round-trip -o s": ["bellwire", "handout", "round-trip", "-o", "sub"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With recordings in it, and the command beside it."""
    (tmp_path / "bin").mkdir()
    command_in(tmp_path / "bin")
    here = tmp_path / "here"
    (here / "sub").mkdir(parents=True)
    for name in ("my run.arrow", "my.txt", "sub/deep.arrow", "sub/deep.txt"):
        (here / name).touch()
    return here


def environment(folder: Path) -> dict[str, str]:
    """Of a shell that finds the command, and nothing of this user's."""
    path = f"{folder.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "HOME": str(folder.parent), "TERM": "dumb", "PS1": "", "INPUTRC": os.devnull}


@contextmanager
def shell(name: str, folder: Path, also: str = ":") -> Iterator[int]:
    """An interactive one that has loaded its script and done `also`; its terminal."""
    command, prepare = SHELLS[name]
    script = asset(f"completion/bellwire.{name}")
    (folder.parent / "_bellwire").write_bytes(script.read_bytes())
    terminal, end = pty.openpty()
    with subprocess.Popen(command, stdin=end, stdout=end, stderr=end, cwd=folder, env=environment(folder)) as ran:
        os.close(end)
        try:
            type_keys(terminal, prepare.format(script=script, folder=folder.parent) + f"; {also}; echo rea''dy\n")
            read_until(terminal, "ready")
            yield terminal
        finally:
            ran.kill()
            os.close(terminal)


def type_keys(terminal: int, keys: str) -> None:
    os.write(terminal, keys.encode())


def read_until(terminal: int, mark: str) -> str:
    """What comes up to the mark, with it; the test's own timeout is the limit."""
    found = ""
    while mark not in found:
        found += os.read(terminal, 4096).decode(errors="replace")
    return found


@pytest.mark.parametrize("name", SHELLS)
def test_a_tab_completes_the_word(name: str, folder: Path) -> None:
    with shell(name, folder) as terminal:
        for typed, words in TYPED.items():
            # Keys that are typed meanwhile wait for the word; then the line becomes arguments that are printed.
            type_keys(terminal, f"{typed}{TAB}{BEGINNING}printf '[%s]' {END} ; echo do''ne\n")
            found = read_until(terminal, "done")
            found = found.replace("/]", "]")  # which a folder has in bash, and in zsh until the next word begins
            assert "".join(f"[{word}]" for word in words) in found, (typed, found)


def test_bash_need_not_take_words_apart_at_equals_signs(folder: Path) -> None:
    with shell("bash", folder, also="COMP_WORDBREAKS=${COMP_WORDBREAKS//=}") as terminal:
        type_keys(
            terminal, f"bellwire shot x --output=s{TAB} --theme=pro{TAB}{BEGINNING}printf '[%s]' {END}; echo do''ne\n"
        )
        assert "[--output=sub][--theme=projector]" in read_until(terminal, "done")


@pytest.mark.parametrize("typed", [typed for typed in TYPED if "'" not in typed])
def test_fish_offers_the_words(typed: str, folder: Path) -> None:
    code = f"source {asset('completion/bellwire.fish')}; complete -C '{typed}'"
    ran = subprocess.run(
        ["fish", "--no-config", "-c", code],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=True,
    )
    words = [line.split("\t")[0].rstrip("/") for line in ran.stdout.splitlines()]
    assert TYPED[typed][-1] in words
    assert ran.stderr == ""
