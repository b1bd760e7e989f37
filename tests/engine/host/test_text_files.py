"""Small files of others: whatever stands under a name is its text or one sentence, and nobody waits."""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from bellwire.engine.errors import EngineError, ScenarioError
from bellwire.engine.host.text_files import MOST_PARTS, small_file, toml_tables

Make = Callable[[Path], object]
MOST = 4096


def in_a_circle(path: Path) -> None:
    path.symlink_to(path.name)


def listening(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))


KINDS: dict[str, tuple[Make, str]] = {
    "nothing": (lambda path: None, "cannot be read: No such file or directory."),
    "folder": (lambda path: path.mkdir(), "cannot be read: Is a directory."),
    "fifo": (os.mkfifo, "cannot be read: it is not a file."),
    "device": (lambda path: path.symlink_to("/dev/zero"), "cannot be read: it is not a file."),
    "socket": (listening, "cannot be read: No such device or address."),
    "dangling": (lambda path: path.symlink_to("nowhere"), "cannot be read: No such file or directory."),
    "circle": (
        in_a_circle,
        "cannot be read: Too many levels of symbolic links. Symbolic links lead in a circle there; `ls -l` shows them.",
    ),
    "latin": (lambda path: path.write_bytes(b"a\nb\xe4\n"), "2: is not in UTF-8: save it as such."),
    "large": (lambda path: path.write_bytes(b" " * (MOST + 1)), "has more than 4 kB, which no scenario needs."),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_text_is_one_sentence(kind: str, tmp_path: Path) -> None:
    make, why = KINDS[kind]
    path = tmp_path / "mine.toml"
    make(path)
    with pytest.raises(ScenarioError) as met:
        small_file(path, MOST, "scenario", ScenarioError)
    assert str(met.value).removeprefix(f"{path}:").strip() == why


def test_names_that_none_can_have(tmp_path: Path) -> None:
    for name in ("a" * 300, "a\0b"):
        with pytest.raises(ScenarioError, match="cannot be read: ") as met:
            small_file(tmp_path / name, MOST, "scenario", ScenarioError)
        assert "[Errno" not in str(met.value)


def test_where_the_system_has_no_file_left_it_is_not_the_files_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("bellwire.engine.host.text_files.first_bytes", refuse)
    with pytest.raises(EngineError, match=r"Too many open files. This process .* `ulimit -n`") as met:
        small_file(tmp_path, MOST, "scenario", ScenarioError)
    assert type(met.value) is EngineError


def test_a_text_is_a_text(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for content, text in ((b"", ""), (b"\xef\xbb\xbfa\r\nb\r\n", "a\nb\n"), ("µ\n".encode(), "µ\n")):
        path.write_bytes(content)
        assert small_file(path, MOST, "scenario", ScenarioError) == text


@pytest.mark.parametrize(
    "key",
    [
        "a." * 200_000 + "a = 1",
        "[" + "a." * 200_000 + "a]",
        "[[" + "a . " * 200_000 + "a]]",
        "x = {y = 1, " + '"a".' * 200_000 + "a = 1}",
        "x = {" + "'a'\t." * 200_000 + "a = 1}",
    ],
    ids=["key", "table", "tables", "inline", "quoted"],
)
def test_a_key_of_thousands_of_parts_is_refused_where_it_stands(key: str) -> None:
    """tomllib takes minutes for it, and gigabytes."""
    with pytest.raises(ValueError, match=rf"^A key has at most {MOST_PARTS} parts \(at line 3, column [0-9]+\)$"):
        toml_tables(f"a = 1\n\n{key}\n")


@pytest.mark.parametrize(
    "text", ['"""', "'''", "#", '"', "[", "{", ",", " ", "\n", ".", "a.", "a , ", '"a"', "'.", "[["]
)
def test_looking_for_such_keys_takes_no_longer_than_reading(text: str) -> None:
    """Whatever a text is made of: from each of its places to its end would take hours."""
    for content in (f"a = '''{text * 300_000}", text * 300_000):
        with contextlib.suppress(ValueError):
            toml_tables(content)


def test_what_nobody_would_write_is_said_in_words() -> None:
    with pytest.raises(ValueError, match=r"^tables and lists in one another without end$"):
        toml_tables("a = " + "[" * 5000)
    with pytest.raises(ValueError, match=r"^a number has thousands of digits$"):
        toml_tables("a = " + "9" * 5000)


def test_a_key_with_some_dots_is_a_key() -> None:
    parts = ".".join("abcdefghijklmnop")
    assert toml_tables(f"{parts} = 1\nb = 'one. two. {'three. ' * 50}'\n")["b"].startswith("one.")
