"""What is kept of a recording on the disk is believed where there is no doubt, and made anew everywhere else."""

from __future__ import annotations

import os
import random
import stat
from pathlib import Path

import numpy as np
import pytest

from bellwire.engine.recordings import index_cache
from bellwire.engine.recordings.index import Indexer, RecordingIndex
from bellwire.engine.recordings.index_cache import ABANDONED, KEPT, keep_index, kept_index
from bellwire.engine.recordings.index_rows import ROW
from bellwire.engine.recordings.recording import Recording
from bellwire.engine.recordings.replay import Replay
from tests.support.recorded import recorded


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of its own, in which also small recordings are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("bellwire.engine.recordings.index.WORTH_KEEPING", 0)
    return index_cache.cache()


@pytest.fixture
def recording(tmp_path: Path) -> Recording:
    """One whose index is kept."""
    made = recorded(tmp_path / "run.arrow")
    assert RecordingIndex.built(made, lambda share: None) is not None
    assert RecordingIndex.cached(made) is not None
    return made


def kept_file(recording: Recording) -> Path:
    """Where it is kept."""
    return index_cache.cache() / f"{recording.identity}.index"


def test_no_altered_bit_is_believed(recording: Recording) -> None:
    path = kept_file(recording)
    whole, rng = path.read_bytes(), random.Random(1)
    for _ in range(300):
        data = bytearray(whole)
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)
        assert RecordingIndex.cached(recording) is None
    for cut in (b"", whole[:-1], whole + b"\0", whole[:40], bytes(len(whole)), whole[:9000], rng.randbytes(999)):
        path.write_bytes(cut)
        assert RecordingIndex.cached(recording) is None
    path.write_bytes(whole)
    assert RecordingIndex.cached(recording) is not None


def test_what_cannot_be_believed_is_made_anew_and_kept_again(recording: Recording) -> None:
    path = kept_file(recording)
    whole = path.read_bytes()
    for harm in (lambda: path.write_bytes(b""), lambda: os.truncate(path, 999), path.unlink):
        harm()
        replay = Replay(Recording(recording.path))
        replay.start()
        assert replay.indexer.wait() is not None
        replay.stop()
        assert path.read_bytes() == whole


def test_what_is_in_use_can_be_cut_off(recording: Recording) -> None:
    """A mapped file would end this process."""
    index = RecordingIndex.cached(recording)
    assert index is not None
    before = index.bins(recording.first, recording.last, 10).lanes.tolist()
    os.truncate(kept_file(recording), 0)
    assert index.bins(recording.first, recording.last, 10).lanes.tolist() == before


def test_another_recordings_index_is_not_believed_under_this_ones_name(recording: Recording, tmp_path: Path) -> None:
    other = recorded(tmp_path / "other.arrow", seconds=1.0)
    RecordingIndex.built(other, lambda share: None)
    kept_file(other).replace(kept_file(recording))
    assert RecordingIndex.cached(recording) is None


@pytest.mark.parametrize("harm", ["a byte of an event", "replaced by a copy", "longer"])
def test_a_recording_that_is_not_the_same_any_more_has_none(harm: str, recording: Recording) -> None:
    path, about = recording.path, recording.path.stat()
    data = bytearray(path.read_bytes())
    if harm == "replaced by a copy":
        copy = path.with_name("copy")
        copy.write_bytes(data)
        copy.replace(path)
    else:
        entry = recording.entries[1]
        data[int(entry["offset"] + entry["size"]) - 1] ^= 1
        path.write_bytes(data + b"x" * (harm == "longer"))
    os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert RecordingIndex.cached(Recording(path)) is None


def test_a_file_has_its_name_once_it_is_on_the_disk(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    steps: list[str] = []
    fsync, link = os.fsync, os.link

    def synced(number: int) -> None:
        steps.append("fsync")
        fsync(number)

    def linked(source: str, name: str, *, src_dir_fd: int, dst_dir_fd: int) -> None:
        steps.append("link")
        link(source, name, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "link", linked)
    keep_index("name", {"a": 1}, {"rows": np.zeros(3, ROW), "more": np.arange(4)})
    assert steps == ["fsync", "link", "fsync"]  # the last one: of the folder
    found = kept_index("name", {"rows": ROW, "more": np.dtype(np.int64)}, 3 * ROW.itemsize + 32)
    assert found is not None
    assert found[0]["a"] == 1
    assert found[1]["rows"].tobytes() == bytes(3 * ROW.itemsize)
    assert found[1]["more"].tolist() == [0, 1, 2, 3]
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE((cache / "name.index").stat().st_mode) == 0o600


def test_nothing_is_left_of_what_could_not_be_written(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    def full(number: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    keep_index("name", {}, {"rows": np.zeros(3, ROW)})
    assert list(cache.iterdir()) == []


def test_no_name_of_somebody_elses_is_written_through(cache: Path, tmp_path: Path) -> None:
    """A link that stands where the index goes is replaced, not followed."""
    (tmp_path / "precious").write_text("mine")
    cache.mkdir(parents=True)
    (cache / "name.index").symlink_to(tmp_path / "precious")
    keep_index("name", {}, {})
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (cache / "name.index").is_symlink()


def kept_names() -> list[int] | None:
    """What is kept under a name, as far as it is believed."""
    found = kept_index("name", {"more": np.dtype(np.int64)}, 1000)
    return found and found[1]["more"].tolist()


@pytest.mark.parametrize("kind", ["fifo", "device", "link"])
def test_what_is_no_file_is_not_waited_for_and_replaced(kind: str, cache: Path) -> None:
    cache.mkdir(parents=True, mode=0o700)
    path = cache / "name.index"
    if kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero" if kind == "device" else "nowhere")
    assert kept_names() is None
    keep_index("name", {}, {"more": np.arange(3)})
    assert kept_names() == [0, 1, 2]


@pytest.mark.parametrize("kind", ["a link", "open to all", "somebody else's"])
def test_a_folder_that_others_could_write_to_is_left_alone(
    kind: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_index("name", {}, {"more": np.arange(3)})
    for number in range(KEPT + 3):
        (cache / f"letter {number}").touch()
    if kind == "a link":
        cache.rename(tmp_path / "letters")
        cache.symlink_to(tmp_path / "letters")
    elif kind == "open to all":
        cache.chmod(0o777)
    else:
        monkeypatch.setattr("os.geteuid", lambda: 12345)
    assert kept_names() is None
    keep_index("name", {}, {"more": np.arange(4)})
    assert kept_names() is None
    assert len(list(cache.iterdir())) == KEPT + 4


def test_a_few_are_kept_and_what_was_abandoned_goes(cache: Path) -> None:
    cache.mkdir(parents=True)
    for name, age in (("tmpold.part", 2 * ABANDONED), ("tmpnew.part", 0.0)):
        (cache / name).touch()
        os.utime(cache / name, (cache.stat().st_mtime - age,) * 2)
    (cache / "of-an-earlier-version").mkdir()
    os.utime(cache / "of-an-earlier-version", (0, 0))
    for number in range(KEPT + 3):
        keep_index(f"{number}", {}, {})
        os.utime(cache / f"{number}.index", (10**9 + number,) * 2)
    names = {path.name for path in cache.iterdir()}
    assert "tmpnew.part" in names
    assert not {"tmpold.part", "of-an-earlier-version", "0.index"} & names
    assert f"{KEPT + 2}.index" in names


def test_a_clock_that_was_set_back_keeps_the_newest(cache: Path) -> None:
    """What it wrote before seemed to be newer than all that comes, for as long as that lasted."""
    cache.mkdir(parents=True)
    later = cache.stat().st_mtime + 90 * ABANDONED
    for number in range(KEPT):
        keep_index(f"before {number}", {}, {})
        os.utime(cache / f"before {number}.index", (later + number,) * 2)
    (cache / "tmp.part").touch()
    os.utime(cache / "tmp.part", (later,) * 2)
    for number in range(3):
        keep_index(f"after {number}", {}, {})
    names = {path.name for path in cache.iterdir()}
    assert {"after 0.index", "after 1.index", "after 2.index"} <= names
    assert len(names) == KEPT
    assert "tmp.part" not in names


def test_a_thread_that_dies_of_anything_says_so(recording: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("of anything")

    monkeypatch.setattr(RecordingIndex, "cached", lambda recording: None)
    monkeypatch.setattr(RecordingIndex, "built", broken)
    replay = Replay(recording)
    monkeypatch.setattr("threading.excepthook", lambda met: None)
    replay.start()
    assert replay.indexer.wait() is None
    assert "overview cannot be made: ZeroDivisionError: of anything" in replay.warning
    replay.stop()


def test_an_indexer_starts_from_what_is_kept(recording: Recording) -> None:
    indexer = Indexer(recording)
    indexer.start()
    assert indexer.index is not None
    assert not indexer.busy
    indexer.stop()
