"""A running VMM that is recorded, while somebody looks at it or nobody does.

Guarantees: nothing of the VMM is stopped or changed. A process that is killed loses less than a second. What the
kernel's ring had no room for is told by LOST events. stop() returns at once; once `ended`, all that happened until
then is written, or `error` says why not.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from bellwire.engine._core import lib
from bellwire.engine.attached.attachment import Attachment, ProcessEndedError
from bellwire.engine.attached.processes import KvmProcess
from bellwire.engine.attached.stream import AttachedStream
from bellwire.engine.attached.topology import Topology
from bellwire.engine.attached.wirings import Wirings
from bellwire.engine.errors import EngineError, answer_of
from bellwire.engine.events import EventKind, Lane, Setting, event
from bellwire.engine.host.host import EMULATED, ROOT, comm_of, emulated, host_facts
from bellwire.engine.kernel.program import PROGRAM, no_answer
from bellwire.engine.kvm.python_thread import begin_thread
from bellwire.engine.recordings.attached.notes import AttachedTo, SeenNote, SeenThread
from bellwire.engine.recordings.attached.seen_events import SeenEvents, SeenThreads, counters_told
from bellwire.engine.recordings.attached.seen_json import HiddenNumbers
from bellwire.engine.recordings.capture import WritingThread
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder, has_ended

TURN_SECONDS, LOOK_SECONDS = 0.05, 0.2
NAMES_SECONDS = 1.0  # how often the names of threads are read anew
BEGIN_SECONDS = 30.0  # until bw-kernel listens, on a machine that has much else to do
END_SECONDS = 2.0  # that it is waited for what happened last
HIDDEN_OF_HOST = {"host": ("kernel", "cpu", "cpus"), "cpu": ("cpu",)}


class VmmCapture(WritingThread):
    """Writes to `path` what is seen of a process until it is stopped, or the process ends.

    hide: of "pid", "host" and "cpu" what the recording is not to tell. force: replaces what is there.
    """

    def __init__(
        self, path: Path, process: KvmProcess, program: str, *, force: bool = False, hide: Collection[str] = ()
    ) -> None:
        self.path, self.process = path, process
        self._program, self._force, self._hide = program, force, hide
        self.error: EngineError | None = None
        self.ended_by = ""  # that the process has ended, as a sentence
        self._number = HiddenNumbers() if "pid" in hide else int
        self._recorder: Recorder | None = None
        self._begun, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._record, name="recording", daemon=True)
        begin_thread(self._thread)

    # -- for whoever looks on

    def stop(self) -> None:
        """What happens from now on is not to be written; may be called again."""
        self._stopping.set()

    @property
    def begun(self) -> bool:
        """Whether something is written."""
        return self._begun.is_set()

    def wait_until_begun(self) -> None:
        """Waits until it writes; EngineError why it does not."""
        while not self._begun.wait(TURN_SECONDS):
            if self.ended:
                break
        if self.error:
            raise self.error

    # -- the thread

    def _record(self) -> None:
        try:
            with ExitStack() as stack:
                attachment = stack.enter_context(Attachment(self.process.pid))
                stream = stack.enter_context(AttachedStream(self.process))
                stream.follow(attachment.look())
                wait_until_ready(stream, self._stopping.is_set)
                topology = attachment.look()  # what was registered before it listens is told by nobody
                recorder = self._recorder = stack.enter_context(self._opened(stream))
                written = SeenWritten(recorder, stream, self._number)
                written.begin(topology)
                self._begun.set()
                self._follow(attachment, written)
                self.error = recorder.error
        except EngineError as error:
            self.error = error
        except BaseException as error:
            self.error = has_ended(self.path, f"{type(error).__name__}: {answer_of(error)}", self.events or None)
            raise  # to whoever hears of what ends a thread

    def _opened(self, stream: AttachedStream) -> Recorder:
        """The file, which says whom it is of."""
        facts = host_facts()
        untold = {fact for name in self._hide for fact in HIDDEN_OF_HOST.get(name, ())}
        process = replace(self.process, pid=self._number(self.process.pid))
        host = {name: value for name, value in facts.items() if name not in untold}
        if emulated(facts):  # whatever else is not told: its times mean nothing
            host["cpu"] = EMULATED
        attached = AttachedTo(process, stream.tells_wires)
        header = Header.of_attached(attached, host, stream.clock, self._program, int(lib.bw_tsc()))
        return Recorder(self.path, header, force=self._force)

    def _follow(self, attachment: Attachment, written: SeenWritten) -> None:
        next_look = 0.0
        while not self._stopping.wait(TURN_SECONDS) and written.goes_on:
            try:
                if time.monotonic() >= next_look:
                    written.look(attachment.look(), attachment.looked)
                    next_look = time.monotonic() + LOOK_SECONDS
            except ProcessEndedError as ended:
                self.ended_by = str(ended)
                break
            written.turn()
        written.end(int(lib.bw_tsc()))


class SeenWritten:
    """What is written of one VMM: its events, and the notes between them."""

    def __init__(self, recorder: Recorder, stream: AttachedStream, number: HiddenNumbers | type[int]) -> None:
        self._recorder, self._stream, self._number = recorder, stream, number
        self._threads = SeenThreads()
        self._made = SeenEvents(self._threads, recorder.header.clock, recorder.header.backend, number)
        self._looked: Topology | None = None  # the newest look
        self._wirings: Wirings | None = None
        self._named: dict[int, SeenThread] = {}
        self._lost = self._looked_at = 0
        self._next_names = 0.0

    @property
    def goes_on(self) -> bool:
        """Whether more can be written."""
        return self._recorder.error is None and self._stream.refused is None

    def begin(self, topology: Topology) -> None:
        """What is there at first, and what is listened to."""
        now = int(lib.bw_tsc())
        self._looked_at = now
        on = event(now, EventKind.SETTING, Lane.ENGINE, Setting.KERNEL, self._stream.error, self._stream.tracepoints)
        self._wirings = Wirings(self._stream.clock, topology, now)
        self._wired(now, topology)
        self._take_counts(now, topology)
        self._recorder.append(on)

    def look(self, seen: Topology, between: tuple[int, int]) -> None:
        """Takes a look, and when that was: its counts; what is registered once all that came before it is there."""
        assert self._wirings
        self._stream.follow(seen)
        self._wirings.look(seen, *between)
        self._take_counts(int(lib.bw_tsc()), seen)

    def _wired(self, since: int, topology: Topology) -> None:
        """A note of what is registered from then on."""
        self._threads.take(topology)
        self._recorder.note(SeenNote(since, topology), self._number)

    def _take_counts(self, now: int, seen: Topology) -> None:
        if names := self._new_names(seen):
            self._recorder.note(SeenNote(now, None, names), self._number)
        self._recorder.append(counters_told(now, seen))
        self._looked = seen

    def _new_names(self, seen: Topology) -> tuple[SeenThread, ...]:
        """Threads of the VMM and of its partners that are new, or are called otherwise, now and then."""
        if self._looked == seen and time.monotonic() < self._next_names:
            return ()
        self._next_names = time.monotonic() + NAMES_SECONDS
        pids = (seen.process.pid, *(pid for pid, _ in seen.partners))
        new = [one for pid in pids for one in named_threads(pid) if self._named.get(one.tid) != one]
        new += [one for one in self._new_workers() if self._named.get(one.tid) != one]
        self._named.update({one.tid: one for one in new})
        return tuple(new)

    def _new_workers(self) -> list[SeenThread]:
        return [SeenThread(tid, 0, named_thread(tid)) for tid in sorted(self._threads.workers - self._named.keys())]

    def turn(self) -> None:
        """Writes what has come."""
        assert self._wirings
        for part in self._wirings.parts(self._stream.take(), self._stream.complete):
            if part.since:
                self._wired(part.since, part.topology)
            self._recorder.append(self._made.of(part.records))
        now, lost = int(lib.bw_tsc()), self._stream.lost
        if lost > self._lost:
            self._recorder.append(event(now, EventKind.LOST, Lane.ENGINE, Lane.KVM, self._looked_at, lost - self._lost))
        self._lost, self._looked_at = lost, now

    def end(self, at: int) -> None:
        """What happened until then is waited for, and written."""
        until = time.monotonic() + END_SECONDS
        while self.goes_on and self._stream.complete < at and time.monotonic() < until:
            self.turn()
            time.sleep(TURN_SECONDS / 5)


def wait_until_ready(stream: AttachedStream, stopped: Callable[[], bool] = lambda: False) -> None:
    """Waits until it listens, once `stopped` not much longer; KernelSightError why it does not."""
    began = time.monotonic()
    until = began + BEGIN_SECONDS
    while not stream.ready:
        stream.take()
        if stream.refused:
            raise stream.refused
        if stopped():
            until = min(until, time.monotonic() + END_SECONDS)
        if time.monotonic() > until:
            raise EngineError(no_answer(PROGRAM, time.monotonic() - began))
        time.sleep(TURN_SECONDS / 5)
    if stream.refused:
        raise stream.refused


def named_threads(pid: int, root: Path = ROOT) -> list[SeenThread]:
    """The threads of a process, as they are called now; [] once it is gone."""
    tasks = root / "proc" / str(pid) / "task"
    try:
        tids = sorted(int(entry.name) for entry in tasks.iterdir())
    except OSError:
        return []
    return [SeenThread(tid, pid, comm_of(tasks / str(tid))) for tid in tids]


def named_thread(tid: int, root: Path = ROOT) -> str:
    """The name of a thread of the kernel's; "?" once it is gone."""
    return comm_of(root / "proc" / str(tid)) or "?"
