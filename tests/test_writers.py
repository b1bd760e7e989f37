"""Everything that writes a file, against everything that a name can stand for: one table."""

from __future__ import annotations

import errno
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bellwire.engine.errors import RecordingError
from bellwire.engine.exports import EXPORTS
from bellwire.engine.exports.convert import write_export
from bellwire.engine.outlet import Outlet
from bellwire.engine.outputs import begin_whole, target_of, write_whole
from bellwire.engine.recordings.capture import Capture
from bellwire.engine.recordings.recorder import Recorder, save_recording
from bellwire.engine.recordings.recording import Recording
from bellwire.viz.cli.app import main
from bellwire.viz.window.files import write_held, written_in_turns
from tests.support.recorded import recorded
from tests.support.small_recording import BATCHES, HEADER, batch

pytestmark = pytest.mark.timeout(240)  # nothing here may wait for anybody; on a busy machine a page takes its time

Write = Callable[[Recording, Path, bool], None]  # RecordingError, or an exit code that is not 0 as one


def record(recording: Recording, path: Path, force: bool) -> None:
    """As `bellwire record` does."""
    with Recorder(path, HEADER, force=force) as recorder:
        for events in BATCHES:
            recorder.append(events)
            recorder.flush()
    if recorder.error:
        raise recorder.error


def capture(recording: Recording, path: Path, force: bool) -> None:
    """As the window, and `bellwire record`, do while something runs."""
    captured = Capture(path, HEADER, batch(0, 3), Outlet(), force=force)
    captured.stop()
    captured.wait()
    if captured.error:
        raise captured.error


def convert(recording: Recording, path: Path, force: bool) -> None:
    """As typed."""
    told = main(["convert", str(recording.path), str(path), "--to", "csv", *(["--force"] if force else [])])
    if told:
        raise RecordingError(f"exit {told}")


def in_turns(recording: Recording, path: Path, force: bool) -> None:
    """As pictures and tables of the window are."""
    for _ in written_in_turns(path, iter([b"a" * 2000, b"b" * 2000]), force):
        pass


def export_as(name: str) -> Write:
    """As a conversion does."""
    return lambda recording, path, force: void(write_export(recording, path, EXPORTS[name], force=force))


def void(written: object) -> None:
    """Something was written."""


WRITERS: dict[str, Write] = {
    "record": record,
    "capture": capture,
    "convert": convert,
    "in turns": in_turns,
    "save": lambda _, path, force: void(save_recording(path, HEADER, BATCHES, force=force)),
    "save held": lambda _, path, force: (
        void(write_held(path.with_suffix(".arrow"), HEADER, BATCHES, force))
        if path.suffix == ".arrow"
        else void(save_recording(path, HEADER, BATCHES, force=force))
    ),
    "picture": lambda _, path, force: write_whole(path, b"PNG" * 1000, force),
    **{f"as {name}": export_as(name) for name in EXPORTS},
}
GROWING = ("record", "capture")  # what they have written until the disk is full stays


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    return recorded(tmp_path_factory.mktemp("recorded") / "run.arrow", seconds=0.3)


@pytest.fixture(params=WRITERS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def write(name: str, recording: Recording) -> Callable[..., None]:
    return lambda path, force=False: WRITERS[name](recording, path, force)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@contextmanager
def file_limit(size: int) -> Iterator[None]:
    """No file may grow beyond this, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_new_file(write: Callable[..., None], tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write(tmp_path / "new.arrow")
    finally:
        os.umask(before)
    assert names(tmp_path) == ["new.arrow"]
    assert stat.S_IMODE((tmp_path / "new.arrow").stat().st_mode) == 0o640
    assert (tmp_path / "new.arrow").stat().st_size > 100


def test_a_file_that_is_there_stays_unless_it_is_forced(write: Callable[..., None], tmp_path: Path) -> None:
    for mine in ("out.arrow", "out.arrow.part", ".out.arrow.part"):
        (tmp_path / mine).write_text("mine")
    (tmp_path / "out.arrow").chmod(0o604)
    with pytest.raises(RecordingError):
        write(tmp_path / "out.arrow")
    assert (tmp_path / "out.arrow").read_text() == "mine"
    write(tmp_path / "out.arrow", force=True)
    assert (tmp_path / "out.arrow").stat().st_size > 100
    assert (tmp_path / "out.arrow.part").read_text() == (tmp_path / ".out.arrow.part").read_text() == "mine"
    assert len(names(tmp_path)) == 3


def test_what_is_replaced_keeps_its_mode_and_lives_on_for_who_reads_it(
    write: Callable[..., None], tmp_path: Path
) -> None:
    path = tmp_path / "out.arrow"
    path.write_text("mine")
    path.chmod(0o604)
    with path.open() as old:
        write(path, force=True)
        assert old.read() == "mine"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_symlink_stays_one_and_leads_to_the_file(write: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "out.arrow").symlink_to("far/real.arrow")
    write(tmp_path / "out.arrow")  # to a file that is not there yet
    assert (tmp_path / "out.arrow").is_symlink()
    assert (tmp_path / "far" / "real.arrow").stat().st_size > 100
    (tmp_path / "far" / "real.arrow").write_text("mine")
    write(tmp_path / "out.arrow", force=True)
    assert (tmp_path / "far" / "real.arrow").stat().st_size > 100
    assert (tmp_path / "out.arrow").is_symlink()
    assert (names(tmp_path), names(tmp_path / "far")) == (["far", "out.arrow"], ["real.arrow"])


@pytest.mark.parametrize("force", [False, True])
def test_a_fifo_that_nobody_reads_is_refused_and_stays(
    force: bool, write: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(RecordingError) as caught:
        write(tmp_path / "fifo", force=force)
    assert "nobody reads this FIFO" in str(caught.value) + capsys.readouterr().err
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)
    assert names(tmp_path) == ["fifo"]


def test_a_fifo_that_is_read_gets_all_of_it(write: Callable[..., None], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    ends = [os.open(tmp_path / "fifo", os.O_RDONLY | os.O_NONBLOCK), os.open(tmp_path / "fifo", os.O_WRONLY)]
    os.set_blocking(ends[0], True)
    with subprocess.Popen(["wc", "-c"], stdin=ends[0], stdout=subprocess.PIPE) as wc:
        os.close(ends[0])
        write(tmp_path / "fifo")
        os.close(ends[1])  # until then the reader waits for more
        out, _ = wc.communicate()
    assert int(out) > 100
    assert stat.S_ISFIFO((tmp_path / "fifo").stat().st_mode)


@pytest.mark.parametrize("force", [False, True])
def test_a_device_is_written_into(force: bool, write: Callable[..., None]) -> None:
    write(Path("/dev/null"), force=force)
    with pytest.raises(RecordingError):
        write(Path("/dev/full"), force=force)
    for device in ("/dev/null", "/dev/full"):
        assert stat.S_ISCHR(Path(device).stat().st_mode)
    assert not list(Path("/dev").glob("*.part"))


def test_a_folder_and_a_place_that_is_none_are_refused(write: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("mine")
    for wrong in ("folder", "none/out.arrow", "file/out.arrow"):
        with pytest.raises(RecordingError):
            write(tmp_path / wrong, force=True)
    assert names(tmp_path) == ["file", "folder"]
    assert names(tmp_path / "folder") == []


@pytest.mark.parametrize("number", ["999999999", "9" * 20, "9" * 5000])
def test_a_descriptor_that_there_is_not_is_refused(number: str) -> None:
    with pytest.raises(RecordingError, match=f"/dev/fd/{number[:9]}"):
        begin_whole(Path(f"/dev/fd/{number}"))


def test_a_name_that_begins_in_a_folder_that_was_removed_is_refused(
    write: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(RecordingError):
        write(Path("out"))


def test_a_read_only_folder_is_refused(write: Callable[..., None], tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    for above in (path, *tmp_path.parents[:-1], tmp_path):
        above.chmod(above.stat().st_mode | 0o055) if above != Path("/tmp") else None
    path.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(RecordingError):
            write(path / "out.arrow")
    finally:
        os.seteuid(user)
    assert names(path) == []


def test_a_full_disk_leaves_what_was_there(name: str, write: Callable[..., None], tmp_path: Path) -> None:
    (tmp_path / "old.arrow").write_text("mine")
    for path, force in ((tmp_path / "new.arrow", False), (tmp_path / "old.arrow", True)):
        with file_limit(60), pytest.raises(RecordingError):
            write(path, force)
    if name not in GROWING:
        assert (tmp_path / "old.arrow").read_text() == "mine"
    assert set(names(tmp_path)) <= {"old.arrow"}  # a recording without an event is none


MADE = {
    "clip": ".gif",
    "shot": ".png",
    "export-html": ".html",
    "convert": ".csv",
    "slides": ".pptx",
    "handout": "",
}  # what takes long to make, by its command: suffix


@pytest.fixture
def told_before_the_work(
    recording: Recording, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str, Path], str]:
    """What a command says that cannot write its file, and that never looks at an event."""

    def told(command: str, target: Path) -> str:
        monkeypatch.setattr("bellwire.engine.recordings.recording.Recording._read", None)
        of = "vm-exit" if command in ("slides", "handout") else str(recording.path)
        assert main([command, of, *([str(target)] if command == "convert" else ["-o", str(target)])]) == 1
        return capsys.readouterr().err

    return told


@pytest.mark.parametrize("command", [command for command in MADE if command != "handout"])
def test_a_disk_that_is_full_is_told_before_the_work(
    command: str, told_before_the_work: Callable[[str, Path], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film was made for minutes, of which nothing could be kept."""
    target, disk = tmp_path / f"made{MADE[command]}", os.statvfs(tmp_path)
    fields = list(disk)
    fields[3] = fields[4] = 0  # f_bfree, f_bavail
    monkeypatch.setattr("os.statvfs", lambda path: os.statvfs_result(fields))
    said = told_before_the_work(command, target)
    assert said.startswith(f"bellwire: {target.with_suffix('')}.")  # of a clip, its words
    assert said.endswith(f" cannot be written: {os.strerror(errno.ENOSPC)}.\n")
    fields[2] = 0  # a file system that does not say how large it is
    assert target_of(target, force=False).about is None


@pytest.mark.parametrize("command", MADE)
@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("none", "there is no folder {place}"),
        ("file", "there is no folder {place}"),
        ("/proc", os.strerror(errno.ENOENT)),
    ],
)
def test_a_folder_in_which_nothing_can_be_made_is_told_before_the_work(
    place: str, why: str, command: str, told_before_the_work: Callable[[str, Path], str], tmp_path: Path
) -> None:
    """A page was made for half a minute, and then /proc had no place for it."""
    (tmp_path / "file").write_text("mine")
    folder = tmp_path / place
    said = told_before_the_work(command, folder / f"made{MADE[command]}")
    assert said.startswith(f"bellwire: {folder}/made")
    assert said.endswith(f" cannot be written: {why.format(place=folder)}.\n")
    assert names(tmp_path) == ["file"]


def test_what_is_made_for_standard_output_stands_there_alone(recording: Recording) -> None:
    """What a command has to say beside it goes where warnings go."""
    command = [sys.executable, "-m", "bellwire.viz", "export-html", str(recording.path), "-o", "-"]
    made = subprocess.run(command, capture_output=True, text=True, check=True)
    assert made.stdout.rstrip().endswith("</html>")
    assert made.stderr.startswith("bellwire: -: ")


def test_a_recording_of_a_run_does_not_go_where_its_figures_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "roundtrip", "--record", "-"]) == 2
    told = capsys.readouterr()
    assert not told.out
    assert told.err.startswith("bellwire: Invalid value for --record: ")


@pytest.mark.parametrize("way", ["itself", "a link to it"])
@pytest.mark.parametrize(
    "words",
    [
        *(f"convert run.arrow OUT --to {name} --force" for name in EXPORTS if not name.startswith("arrow")),
        "export-html run.arrow -o OUT --force",
    ],
)
def test_what_something_is_made_of_is_not_replaced_by_it(
    words: str,
    way: str,
    recording: Recording,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What it holds is more than that."""
    monkeypatch.chdir(tmp_path)
    out = {"itself": "run.arrow", "a link to it": "link.out"}[way]
    keeps_its_source(words.replace("OUT", out), ["link.out"], recording, capsys)


@pytest.mark.parametrize(
    "words",
    [
        "shot run.arrow -o a.png",
        "shot run.arrow -o b.png --sidecar",
        "clip run.arrow -o a.webm",
        "clip run.arrow -o b.webm",
    ],
)
def test_no_picture_or_clip_of_a_recording_takes_its_place(
    words: str,
    recording: Recording,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """By way of a link, or of what is written beside it."""
    monkeypatch.chdir(tmp_path)
    keeps_its_source(f"{words} --force", ["a.png", "a.webm", "b.json", "b.vtt"], recording, capsys)


def keeps_its_source(words: str, links: list[str], recording: Recording, capsys: pytest.CaptureFixture[str]) -> None:
    """A command on run.arrow, to which all these lead, says why not, and leaves everything as it was."""
    content = recording.path.read_bytes()
    Path("run.arrow").write_bytes(content)
    for name in links:
        Path(name).symlink_to("run.arrow")
    assert main(words.split()) == 1
    assert "it is the file that this is made of" in capsys.readouterr().err
    assert (Path("run.arrow").read_bytes(), names(Path())) == (content, sorted([*links, "run.arrow"]))


@pytest.mark.parametrize("named", [False, True])
def test_who_writes_to_a_name_at_the_same_time_is_told(
    named: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """named: on a file system where every file has a name."""
    if named:
        monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY | os.O_RDWR)  # EISDIR
    for force, there in ((False, []), (True, ["out"])):
        folder = tmp_path / f"{force}"
        folder.mkdir()
        for other in there:
            (folder / other).write_text("before")
        one, two = begin_whole(folder / "out", force), begin_whole(folder / "out", force)
        one.file.write(b"one")
        two.file.write(b"two")
        one.keep()
        with pytest.raises(RecordingError, match="meanwhile"):
            two.keep()
        assert ((folder / "out").read_text(), names(folder)) == ("one", ["out"])


def test_a_recording_under_way_is_replaced_by_nobody(recording: Recording, tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.arrow", HEADER) as recorder:
        recorder.append(BATCHES[0])
        recorder.flush()
        for writer in ("record", "convert", "save"):
            with pytest.raises(RecordingError):
                WRITERS[writer](recording, tmp_path / "run.arrow", True)
    assert recorder.error is None
    assert len(Recording(tmp_path / "run.arrow")) == 3


@pytest.mark.parametrize("what", ["removed", "replaced"])
def test_a_recording_that_is_gone_when_it_ends_says_so(what: str, tmp_path: Path) -> None:
    with Recorder(tmp_path / "run.arrow", HEADER) as recorder:
        recorder.append(BATCHES[0])
        recorder.flush()
        (tmp_path / "run.arrow").unlink()
        if what == "replaced":
            (tmp_path / "run.arrow").write_text("mine")
    assert what in str(recorder.error)
    assert names(tmp_path) == (["run.arrow"] if what == "replaced" else [])


def test_what_a_killed_program_was_writing_is_gone(tmp_path: Path) -> None:
    """Even if it could do nothing about it."""
    program = "import os, sys; from pathlib import Path; from bellwire.engine.outputs import begin_whole\n"
    program += "begin_whole(Path(sys.argv[1])).file.write(b'a' * 2**20); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "out")], check=False)
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", ["/dev/stdout", "-"])
def test_standard_output_is_written_into(name: str, recording: Recording, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bellwire.viz", "convert", str(recording.path), name, "--to", "csv"]
    piped = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(piped.stdout.splitlines()) == len(recording) + 1
    with (tmp_path / "out.csv").open("w") as file:
        subprocess.run(command, stdout=file, stderr=-3, check=True)
    assert (tmp_path / "out.csv").read_text() == piped.stdout
