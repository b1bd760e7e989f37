"""Recordings that nobody recorded, through every command and the window.

`python -m tests.recording_fuzz COUNT SEED FIRST` begins with the number FIRST, where an earlier run of that seed ended.

What is wanted of each is a sentence or a picture: no traceback, no warning of Qt, nothing that steers a terminal, no
more memory than MOST_MEMORY, nothing that takes longer than SECONDS. Prints how many were opened and how many refused.
All of it runs in processes of their own: one that ends is a result, and the next one goes on behind the file that
ended it, which is left in build/hostile.
"""

from __future__ import annotations

import contextlib
import faulthandler
import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bellwire.engine.events import Events

TOLD_EACH = 50  # after so many recordings, how it stands
SECONDS = 180  # that one recording may take in one command, or in the window, before it counts as hung
MOST_MEMORY = 2000  # MB
KEPT = Path(__file__).parent.parent / "build" / "hostile"
SUFFIXES = ("parquet", "csv", "pftrace", "hgrm", "hlog", "arrow")
FILTERS = ("kind=exit", "latency>1us", "/5/", "lane=guest not vm=0", "time>1s value>3")
# Actions that have nothing to do with what is shown: some close windows, some style all of them anew.
NOT_DONE = ("quit", "about", "full", "open", "attach", "record", "theme", "larger", "smaller", "normal")
SENTENCES = (0, 1, 2)  # exit codes of what was done, what failed and what was asked wrongly


class Found(Exception):  # noqa: N818 (it is what is looked for)
    """What should not be."""


def check_text(text: str, what: str) -> None:
    """Found, if a text is a traceback, or steers a terminal."""
    from bellwire.engine.foreign import STEERING

    if "Traceback" in text or "has a fault" in text:
        raise Found(f"{what}: {text[-600:]}")
    if STEERING.sub("", text.replace("\n", "")) != text.replace("\n", ""):
        raise Found(f"{what} steers the terminal")


def read_in_every_way(path: Path) -> bool:
    """Reads all of it; False if it is refused. Found, if events are neither there nor counted as damaged."""
    from bellwire.engine.errors import RecordingError
    from bellwire.engine.recordings.recording import Recording

    try:
        recording = Recording(path, attached=True)
    except RecordingError as error:
        check_text(str(error), "refused")
        return False
    recording.outline()
    batches = [(events.size, *losses(events)) for events in recording.batches()]
    read = sum(size for number, (size, *_) in enumerate(batches) if number not in recording.damaged)
    if read + sum(recording.damaged.values()) != len(recording):
        raise Found(f"{read} events of {len(recording)}, and {recording.damaged}")
    told = {number: batches[number] for number in recording.damaged}
    if told != {number: (1, 1, count) for number, count in recording.damaged.items()}:
        raise Found(f"{recording.damaged} are damaged, and told are {told}")
    in_order = sum(events.size for events in recording.sorted_batches())
    if in_order != read + len(told):
        raise Found(f"{in_order} events in order, of {read} and {len(told)} that tell of damage")
    window = recording.window(recording.first, recording.last + 1).size
    if window != read:
        raise Found(f"{window} events from the first to the last, of {read}")
    return True


def losses(events: Events) -> tuple[int, int]:
    """How many of these say that events were lost, and how many are."""
    from bellwire.engine.events import EventKind

    lost = events[events["kind"] == EventKind.LOST]
    return lost.size, int(lost["arg"].sum())


def through_commands(path: Path, good: Path, rng: random.Random) -> bool:
    """Some commands, `info` always, on one recording; False if it is refused."""
    out = str(path.with_name("out"))
    commands = [
        ["info", str(path)],
        ["info", str(path), "--json", "--assert", "doorbell.p99<200us"],
        ["compare", str(path), str(good)],
        ["compare", str(path), "--at-switch", "--json"],
        *(["convert", str(path), f"{out}.{suffix}", "--force"] for suffix in SUFFIXES),
    ]
    codes = [run_command(command) for command in [commands[0], *rng.sample(commands[1:], 3)]]
    return codes[0] == 0


def run_command(command: list[str]) -> int:
    """Its exit code; Found, if it ends by anything else than a sentence."""
    from bellwire.viz.cli.app import main

    out, error = io.StringIO(), io.StringIO()
    faulthandler.dump_traceback_later(SECONDS, exit=True)
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
        code = main(command)
    faulthandler.cancel_dump_traceback_later()
    check_text(out.getvalue() + error.getvalue(), " ".join(command[:1] + command[2:]))
    if code not in SENTENCES or (code and not error.getvalue().startswith("bellwire: ") and command[0] != "info"):
        raise Found(f"{command}: {code}, {error.getvalue()[:300]!r}")
    return code


class Theatre:
    """One window, into which one recording after the other is opened, and whatever can be done to it is done."""

    def __init__(self, good: Path) -> None:
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        from PySide6.QtCore import QtMsgType, qInstallMessageHandler
        from PySide6.QtWidgets import QFileDialog

        from bellwire.engine.recordings.recording import Recording
        from bellwire.engine.recordings.replay import Replay
        from bellwire.viz.style.theme import DARK
        from bellwire.viz.window.window import make_window
        from tests.support.fake_source import FakeSource

        self.said: list[str] = []
        quiet = (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg)
        no_wonder = "This plugin does not support"  # the offscreen platform says so of much
        qInstallMessageHandler(
            lambda kind, _, text: None if kind in quiet or no_wonder in text else self.said.append(text)
        )
        for name in ("getOpenFileName", "getSaveFileName"):
            setattr(QFileDialog, name, staticmethod(lambda *_: ("", "")))
        self.good, self.now = good, 0
        self.window = make_window(Replay(Recording(good)), theme=DARK, make_source=FakeSource)
        self.window.resize(1280, 720)
        self.window.show()

    def frames(self, count: int) -> None:
        """Some frames, in which time goes on."""
        from PySide6.QtCore import QEvent
        from PySide6.QtWidgets import QApplication

        for _ in range(count):
            self.now += 50_000_000
            self.window.frame.tick()
            self.window.refresh(False)
            QApplication.processEvents()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)

    def show(self, path: Path, rng: random.Random) -> None:
        """Opens a recording, plays it, goes through it and looks at it in every panel; Found, if anything is said."""
        from bellwire.engine.errors import EngineError
        from bellwire.engine.recordings.recording import Recording
        from bellwire.engine.recordings.replay import Replay
        from bellwire.viz.text.faults import faults_told

        faulthandler.dump_traceback_later(SECONDS, exit=True)
        with faults_told(lambda fault: self.said.append(fault.details)):
            self.window.files.replay(path)
            self.frames(1)
            self._look_at_attached(rng)
            try:
                source = Replay(Recording(path), lambda: self.now)
                source.start()
            except EngineError as error:
                check_text(str(error), "refused")
                source = None
            if source is not None:
                self.window.shown.show_source(source)
                try:
                    self._play(path, rng)
                except Exception:
                    self.said.append(traceback.format_exc())
            self.frames(1)
        faulthandler.cancel_dump_traceback_later()
        if self.said:
            raise Found("window: " + " | ".join(self.said)[-1500:])

    def _look_at_attached(self, rng: random.Random) -> None:
        """The window of a VMM that was seen from outside, if it has opened: some of its moments, then its end."""
        from bellwire.viz.attached.replayed.replayed_window import ReplayedWindow

        for window in self.window.findChildren(ReplayedWindow):
            window.density.wait()
            for _ in range(3):
                window.seek(rng.randrange(window.recording.first, window.recording.last + 1))
                window.timeline.zoom(rng.choice((0.01, 0.5, 100.0)))
                window.grab()
                check_text(f"{window.about.text()}{window.windowTitle()}", "replayed")
            window.timeline.show_all()
            window.grab()
            window.toggle()
            window.tick()
            window.close()

    def _play(self, path: Path, rng: random.Random) -> None:
        from bellwire.engine.recordings.replay import Replay
        from bellwire.viz.panels.events.panel import EventsPanel
        from bellwire.viz.window.actions import ACTIONS

        window, model = self.window, self.window.model
        self.frames(3)
        for panel in window.views.panels:
            window.views.bring_panel(panel.name)
            self.frames(1)
            panel.redraw()
            check_text(panel.accessibleDescription(), panel.name)
        events = window.views.panel("events")
        if isinstance(events, EventsPanel):
            events.line.setText(rng.choice(FILTERS))
            self.frames(3)
        known = [action for action in ACTIONS if action.name not in NOT_DONE]
        for action in rng.sample(known, 12):
            window.run_action(action)
            self.frames(1)
        window.commands.story_of_slowest()
        for _ in range(6):
            self.frames(1)
            window.commands.storyteller.go(+3)
            check_text(window.story_bar.title.text(), "story")
        window.commands.to_newest()
        source = model.source
        assert isinstance(source, Replay)
        recording = source.recording
        for _ in range(3):
            source.seek(rng.randrange(recording.first, recording.last + 1))
            model.transport.seek(rng.randrange(recording.first, recording.last + 1))
            self.frames(2)
        from bellwire.viz.model.baseline import Baseline

        model.baseline = Baseline(path)
        window.views.bring_panel("compare")
        self.frames(3)
        model.baseline.close()
        self.frames(2)
        window.files.write(path.with_name(f"held.{rng.choice(SUFFIXES)}"))
        for thread in window.files._saving:
            thread.join()
        self.frames(1)
        check_text(window.notice.words.text(), "notice")


def numbered(seed: int, number: int) -> random.Random:
    """Each recording is made by its own numbers alone."""
    return random.Random(seed * 1_000_003 + number)


def work(seed: int, first: int, end: int) -> None:
    """Goes through some recordings in this process; a line for each on stdout."""
    # Small recordings have an index that is kept as well.
    import bellwire.engine.recordings.index
    from bellwire.engine.errors import RecordingError
    from bellwire.engine.recordings.recording import Recording
    from bellwire.engine.recordings.synthetic import synthetic_recording
    from tests.support.hostile_recordings import hostile_index, hostile_recording

    bellwire.engine.recordings.index.WORTH_KEEPING = 0
    with tempfile.TemporaryDirectory(prefix="bellwire-hostile-") as folder:
        os.environ.update({f"XDG_{name}_HOME": f"{folder}/{name}" for name in ("CACHE", "CONFIG", "DATA", "STATE")})
        good, path = Path(folder) / "good.arrow", Path(folder) / "hostile.arrow"
        synthetic_recording(good, 20_000)
        theatre = Theatre(good)
        for number in range(first, end):
            rng = numbered(seed, number)
            done = hostile_recording(path, rng)
            print(number, "making", done, flush=True)
            KEPT.mkdir(parents=True, exist_ok=True)
            kept = KEPT / f"{seed}-{number}.arrow"
            kept.write_bytes(path.read_bytes())
            try:
                with contextlib.suppress(RecordingError):
                    hostile_index(Recording(path), rng)
                opened = read_in_every_way(path)
                if through_commands(path, good, rng) != opened:
                    raise Found("info refuses what can be read, or the other way round")
                theatre.show(path, rng)
                memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
                if memory > MOST_MEMORY:
                    raise Found(f"{memory} MB of memory")
            except Found as found:
                print(number, "found", done, "|", " ".join(str(found).split()), flush=True)
                if "MB of memory" in str(found):
                    sys.exit(1)
                theatre.said.clear()
                continue
            kept.unlink()
            print(number, "opened" if opened else "refused", flush=True)


def results(seed: int, count: int, number: int = 0) -> Iterator[tuple[str, str]]:
    """(what came of it, more about it) of each recording, from processes that begin anew behind what ended them."""
    while number < count:
        command = [sys.executable, "-m", "tests.recording_fuzz", "--work", str(seed), str(number), str(count)]
        with (
            tempfile.TemporaryFile("w+") as errors,
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
        ):
            done, under_way = "", False
            for line in process.stdout or ():
                which, result, *more = line.rstrip("\n").split(" ", 2)
                number, done = int(which), " ".join(more)
                under_way = result == "making"
                if not under_way:
                    yield result, f"{which} {done}"
            ended, _ = process.wait(), errors.seek(0)
            if ended and under_way:
                yield "found", f"{number} {done} | ended by {ended}: {errors.read()[-2500:]}"
            elif ended and not done:
                raise RuntimeError(f"no recording was made: {errors.read()[-2500:]}")
        number += 1


def how_it_stands(counted: dict[str, int]) -> str:
    """The counts as a sentence."""
    counts = ", ".join(f"{number} {name}" for name, number in counted.items())
    return f"{sum(counted.values())} hostile recordings: {counts}"


def main(count: int, seed: int = 1, first: int = 0) -> int:
    """Prints what was found, and how many were opened and refused. Returns whether one did what it should not."""
    counted = {"opened": 0, "refused": 0, "found": 0}
    for result, more in results(seed, count, first):
        counted[result] += 1
        if result == "found":
            print(more, flush=True)
        if sum(counted.values()) % TOLD_EACH == 0:
            print(how_it_stands(counted), flush=True)
    print(how_it_stands(counted))
    return min(counted["found"], 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(*map(int, sys.argv[2:]))
    else:
        sys.exit(main(*map(int, sys.argv[1:] or ["2000"])))
