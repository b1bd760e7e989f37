"""A command that cannot do what it is told to, in a folder with nothing in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from bellwire.viz.cli.app import main


def refused(
    words: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """The exit code, and the one sentence that says why; nothing else is said, and nothing is left in the folder."""
    monkeypatch.chdir(folder)
    code = main(words.split())
    out, said = capfd.readouterr()
    assert (out, said.count("\n")) == ("", 1)
    assert not list(folder.iterdir())
    return code, said
