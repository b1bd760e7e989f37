"""`bellwire desktop`: what it writes works, what it removes is gone, and what cannot be is one sentence."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pyarrow as pa
import pytest

from bellwire.engine.recordings.shipped import path_of_shipped
from bellwire.viz.cli.app import main
from bellwire.viz.cli.desktop.share import ENTRY, FILE_TYPES, PAGE, SIZES, icons
from bellwire.viz.text.assets import asset
from tests.support.commands import command_in
from tests.support.x_server import x_server

RECORDING, STREAM = "application/x-bellwire-recording", "application/x-bellwire-recording-stream"
ARROW = "application/vnd.apache.arrow.file"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with nothing in it, in which everything is looked for."""
    home = tmp_path / "home"
    home.mkdir()
    for name in [name for name in os.environ if name.startswith("XDG_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GIO_USE_VFS", "local")
    return home


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if not path.is_dir()}


def states(capsys: pytest.CaptureFixture[str]) -> set[str]:
    """What was printed of the files."""
    return {line.split()[0] for line in capsys.readouterr().out.splitlines()}


def type_of(path: Path) -> str:
    """As file managers see it."""
    ran = subprocess.run(["gio", "info", "-a", "standard::content-type", str(path)], capture_output=True, text=True)
    return ran.stdout.split("standard::content-type: ")[1].strip()


def test_what_is_installed_is_there_once_and_removed_leaves_nothing(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    share = home / ".local/share"
    assert main(["desktop"]) == 0
    assert states(capsys) == {"missing"}
    assert main(["desktop", "install"]) == 0
    assert states(capsys) == {"written"}
    assert files_below(share) >= {ENTRY, FILE_TYPES, PAGE, *icons(), "applications/mimeinfo.cache", "mime/mime.cache"}
    assert main(["desktop", "install"]) == main(["desktop"]) == 0
    assert states(capsys) == {"there"}
    (share / ENTRY).write_text("[Desktop Entry]\n")
    assert main(["desktop", "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out).values()) == {"there", "another"}
    assert main(["desktop", "remove"]) == main(["desktop", "remove"]) == 0
    assert states(capsys) == {"removed"}
    assert list(share.iterdir()) == []


def test_what_others_have_stays(home: Path) -> None:
    share = home / ".local/share"
    theirs = {
        "applications/theirs.desktop": "[Desktop Entry]\nType=Application\nName=x\nExec=x\nMimeType=text/x-theirs;\n",
        "mime/packages/theirs.xml": '<mime-info xmlns="http://www.freedesktop.org/standards/shared-mime-info">'
        '<mime-type type="text/x-theirs"><glob pattern="*.theirs"/></mime-type></mime-info>',
        "icons/hicolor/16x16/apps/theirs.png": "",
    }
    for name, text in theirs.items():
        (share / name).parent.mkdir(parents=True, exist_ok=True)
        (share / name).write_text(text)
    (share / PAGE).parent.mkdir(parents=True)
    (share / PAGE).symlink_to("/nowhere/bellwire.1")  # pipx's, of a program that is gone
    assert main(["desktop", "install"]) == 0
    assert not (share / PAGE).is_symlink()
    (home / "page").write_bytes((share / PAGE).read_bytes())
    (share / PAGE).unlink()
    (share / PAGE).symlink_to(home / "page")
    assert main(["desktop", "install"]) == main(["desktop", "remove"]) == 0
    assert files_below(share) >= {*theirs, PAGE, "mime/mime.cache", "applications/mimeinfo.cache"}
    assert not {name for name in files_below(share) - {PAGE} if "bellwire" in name}
    assert "text/x-theirs" in (share / "mime/types").read_text()


def test_what_somebody_has_changed_is_kept_beside_it(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What only an earlier version of the program had there is replaced without a word."""
    share = home / ".local/share"
    with monkeypatch.context() as earlier:
        earlier.setattr("bellwire.viz.cli.desktop.share.manual_page", lambda program: "an earlier version's")
        assert main(["desktop", "install"]) == 0
    before = files_below(share)
    first, second = f"{ENTRY}~", f"{ENTRY}2~"
    for own, copy, copies in (("own", first, {first}), ("own", first, {first}), ("mine", second, {first, second})):
        (share / ENTRY).write_text(own)
        capsys.readouterr()
        assert main(["desktop", "install"]) == 0
        said = capsys.readouterr().err
        assert (said.count("is kept as"), said.count(str(share / copy))) == (1, 1)
        assert files_below(share) - before == copies
        assert (share / ENTRY).read_text().startswith("[Desktop Entry]")
    assert (share / first).read_text() == "own"
    assert (share / second).read_text() == "mine"
    assert main(["desktop", "install"]) == 0
    assert "is kept" not in capsys.readouterr().err
    assert main(["desktop", "remove"]) == 0
    assert {name for name in files_below(share) if "bellwire" in name} == {first, second}


def test_nobody_waits_for_a_fifo_in_the_place_of_a_file(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / ".local/share" / ENTRY
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    for action in ("show", "install"):
        assert main(["desktop", action]) == 1
        assert f"{path} cannot be written: it is not a file" in capsys.readouterr().err


def test_a_recording_is_told_from_other_arrow_files(home: Path, tmp_path: Path) -> None:
    assert main(["desktop", "install"]) == 0
    run, folder = path_of_shipped("roundtrip"), tmp_path / "files"
    folder.mkdir()
    for name in ("run.arrow", "no-ending"):
        shutil.copy(run, folder / name)
    (folder / "cut.arrow").write_bytes(run.read_bytes()[:7000])
    with (
        pa.OSFile(str(folder / "other.arrow"), "wb") as file,
        pa.ipc.new_file(file, pa.schema([("a", pa.int8())])) as writer,
    ):
        writer.write_table(pa.table({"a": pa.array([1], pa.int8())}))
    assert main(["convert", str(run), str(folder / "run.arrows")]) == 0
    (folder / "text.arrow").write_text("what else ends so\n")
    assert {path.name: type_of(path) for path in folder.iterdir()} == {
        "run.arrow": RECORDING,
        "no-ending": RECORDING,
        "cut.arrow": RECORDING,
        "run.arrows": STREAM,
        "other.arrow": ARROW,
        "text.arrow": ARROW,
    }


@pytest.mark.parametrize("path", sorted(path_of_shipped("x").parent.glob("*.arrow"))[::12], ids=lambda path: path.stem)
def test_each_recording_says_so_in_its_first_4096_bytes(path: Path) -> None:
    """Which is all that GNOME's file manager reads."""
    head = path.read_bytes()[:4096]
    assert head.startswith(b"ARROW1\0\0")
    assert 64 <= head.index(b'{"version": ') <= 256
    assert 80 <= head.index(b'"scenario": {"name": "') <= 400


@pytest.mark.xcb
def test_a_double_click_opens_the_window_with_the_recording(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my programs").mkdir()
    monkeypatch.setattr("sys.argv", [str(command_in(tmp_path / "my programs")), "desktop", "install"])
    assert main(["desktop", "install"]) == 0
    run = tmp_path / "my run.arrow"
    shutil.copy(path_of_shipped("irq-msi"), run)
    with x_server() as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.setenv("QT_QPA_PLATFORM", "xcb")
        asked = ["xdotool", "search", "--sync", "--onlyvisible", "--name", "Bellwire"]
        with subprocess.Popen(asked, stdout=subprocess.PIPE, text=True) as search:
            subprocess.run(["gio", "open", str(run)], check=True)
            window = search.communicate()[0].split()[0]
        command = ["xprop", "-id", window, "WM_CLASS", "_NET_WM_NAME", "_NET_WM_PID", "_NET_WM_ICON"]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        process = int(told.split("_NET_WM_PID(CARDINAL) = ")[1].split()[0])
        os.kill(process, signal.SIGTERM)
        while Path(f"/proc/{process}").exists():
            time.sleep(0.05)
    assert 'WM_CLASS(STRING) = "bellwire", "bellwire"' in told
    assert "Interrupt through an irqfd with an MSI route (REPLAY)" in told
    assert "Icon (48 x 48)" in told


def test_a_packager_gets_the_files_and_nothing_else(
    home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = tmp_path / "root/usr"
    assert main(["desktop", "install", "--prefix", str(prefix)]) == 0
    found = files_below(prefix)
    assert {f"share/{name}" for name in (ENTRY, FILE_TYPES, PAGE, *icons())} <= found
    assert len(found) == len(capsys.readouterr().out.splitlines())  # no database of a desktop
    assert (prefix / "share" / ENTRY).read_text() == asset("desktop/bellwire.desktop").read_text()
    assert not any(str(tmp_path).encode() in (prefix / name).read_bytes() for name in found)
    assert main(["desktop", "remove", "--prefix", str(prefix)]) == 0
    assert files_below(prefix) == files_below(home) == set()


def test_each_icon_is_as_large_as_its_folder_says() -> None:
    for size in SIZES:
        for name in ("bellwire", "recording"):
            head = asset(f"icons/{name}-{size}.png").read_bytes()[:24]
            assert [int.from_bytes(head[at : at + 4], "big") for at in (16, 20)] == [size, size]


def test_without_the_desktops_tools_it_says_what_is_missing(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert main(["desktop", "install"]) == 0
    said = capsys.readouterr().err.splitlines()
    types, programs = home / ".local/share/mime", home / ".local/share/applications"
    assert said == [
        "bellwire: There is no update-mime-database: install shared-mime-info, then run "
        f"`update-mime-database {types}`; until then a double click opens no recording.",
        "bellwire: There is no update-desktop-database: install desktop-file-utils, then run "
        f"`update-desktop-database {programs}`; until then a double click may open no recording.",
    ]


@pytest.mark.parametrize("action", ["install", "remove"])
def test_a_tool_of_the_desktop_that_fails_is_told_and_ends_with_1(
    action: str, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    monkeypatch.setenv("PATH", str(tools))
    for name, script in (("update-mime-database", "echo no such type >&2; exit 3"), ("update-desktop-database", "")):
        (tools / name).write_text(f"#!/bin/sh\n{script}\n")
        (tools / name).chmod(0o755)
    assert main(["desktop", "install"]) == 1
    if action == "remove":
        capsys.readouterr()
        (home / ".local/share/mime/of-another").touch()
        assert main(["desktop", "remove"]) == 1
    types, until = home / ".local/share/mime", "a double click opens no recording"
    if action == "remove":
        until = "the desktop still knows of what was there"
    said = capsys.readouterr()
    assert said.err == (
        f"bellwire: update-mime-database ends with 3: no such type; run `update-mime-database {types}` once that is "
        f"mended; until then {until}.\n"
    )
    assert said.out.count("written" if action == "install" else "removed") > 5


def test_who_has_zsh_is_told_the_line_that_is_still_to_be_written(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(home / "my data"))
    monkeypatch.setenv("SHELL", "/usr/bin/zsh")
    assert main(["desktop", "install"]) == 0
    folder = home / "my data/zsh/site-functions"
    told = f"bellwire: zsh completes it once ~/.zshrc says, before compinit: fpath+=('{folder}')\n"
    assert capsys.readouterr().err == told
    assert (folder / "_bellwire").exists()


def test_where_a_file_stands_in_the_way_all_stays_as_it_was(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / ".local/share").mkdir(parents=True)
    (home / ".local/share/icons").touch()
    assert main(["desktop", "install"]) == 1
    where = home / ".local/share/icons/hicolor"
    assert capsys.readouterr().err.startswith(f"bellwire: {where}")
    assert files_below(home) == {".local/share/icons"}
    assert [path.name for path in (home / ".local/share").iterdir()] == ["icons"]


@pytest.mark.parametrize("answer", [errno.ENOSPC, errno.EROFS])
def test_what_cannot_be_written_is_one_sentence_and_leaves_all_as_it_was(
    answer: int, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["desktop", "install"]) == 0
    share = home / ".local/share"
    (share / ENTRY).write_text("somebody has changed it")
    (share / PAGE).unlink()
    before = {name: (share / name).read_bytes() for name in files_below(share)}
    sync, left = os.fsync, [3]

    def refuse(descriptor: int) -> None:
        left[0] -= 1
        if left[0] == 0:  # of the second file; the first one has a folder, too
            raise OSError(answer, os.strerror(answer))
        sync(descriptor)

    capsys.readouterr()
    monkeypatch.setattr("os.fsync", refuse)
    assert main(["desktop", "install"]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)
    assert f" cannot be written: {os.strerror(answer)}." in said.err
    assert {name: (share / name).read_bytes() for name in files_below(share)} == before


def full_after(monkeypatch: pytest.MonkeyPatch, room: int) -> None:
    """The disk takes so many bytes more."""
    write = os.write

    def written(descriptor: int, data: memoryview) -> int:
        nonlocal room
        room -= len(data)
        if room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data)

    monkeypatch.setattr("os.write", written)


def test_a_disk_that_becomes_full_leaves_nothing_behind(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folders that were made for the files stayed."""
    with monkeypatch.context() as patched:
        full_after(patched, 20_000)
        assert main(["desktop", "install"]) == 1
    assert os.strerror(errno.ENOSPC) in capsys.readouterr().err
    assert list(home.iterdir()) == []


def test_a_disk_that_becomes_full_leaves_an_older_version_as_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not replaced need not be written again, for which there would be no room either."""
    share = home / ".local/share"
    assert main(["desktop", "install"]) == 0
    for name in files_below(share):
        (share / name).write_bytes(b"older")
    before = {name: (share / name).stat().st_ino for name in files_below(share)}
    with monkeypatch.context() as patched:
        full_after(patched, 20_000)
        assert main(["desktop", "install"]) == 1
    assert {name: (share / name).stat().st_ino for name in files_below(share)} == before
    assert {(share / name).read_bytes() for name in files_below(share)} == {b"older"}
