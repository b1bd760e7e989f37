"""Several processes that make pictures, each some of one recording at a time, so that it opens few.

Guarantees: every picture is answered once, if only by a sentence; a process that dies costs the picture that it was
making, and no other; none is left when the crew is closed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing, suppress
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from bellwire.viz.cli.lessons.handout_command import ended_in_order
from bellwire.viz.cli.shots.worker import answer_to, new_series
from bellwire.viz.cli.terminal import share_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from bellwire.viz.pictures.lists.listed import ListedPicture
    from bellwire.viz.pictures.lists.series import MadeFiles

    Answered = tuple[ListedPicture, MadeFiles | str]

WORTH_A_PROCESS = 12  # pictures: what one process makes while another one is being started
LOOK_SECONDS = 0.1
MOST_AT_A_TIME = 8  # pictures that a process is given: few are left to one alone at the end


def crew_size(pictures: int, wanted: int | None) -> int:
    """How many processes so many pictures are worth; 1: this one alone."""
    cores = len(os.sched_getaffinity(0))
    return max(min(wanted or cores, pictures if wanted else pictures // WORTH_A_PROCESS), 1)


def pictures_counted(count: int) -> str:
    """ "1 picture", "2 pictures"."""
    return f"{count} picture{'' if count == 1 else 's'}"


def made_by_all(
    folder: Path,
    pictures: Sequence[ListedPicture],
    jobs: int | None,
    take: Callable[[ListedPicture, MadeFiles | str], None],
) -> None:
    """Makes pictures, and hands over each with its files or the reason why there are none; in any order.

    folder: from which their paths go. jobs: how many processes; None: as many as they are worth.
    """
    if not pictures:
        return
    from bellwire.viz.pictures.lists.series import in_good_order

    ordered, size = in_good_order(pictures), crew_size(len(pictures), jobs)
    with share_bar(pictures_counted(len(ordered))) as progress, ended_in_order() as look:
        made = answers_of_one(folder, ordered, look) if size == 1 else answers_of_crew(folder, ordered, size, look)
        with closing(made):
            for count, (one, answer) in enumerate(made, 1):
                take(one, answer)
                progress(count / len(ordered))


def answers_of_crew(
    folder: Path, pictures: Sequence[ListedPicture], size: int, look: Callable[[], None]
) -> Generator[Answered]:
    """Each picture with its answer, of several processes. look: called now and then; may raise."""
    with Crew(folder, size) as crew:
        yield from crew.answers(pictures, look)


def answers_of_one(folder: Path, pictures: Sequence[ListedPicture], look: Callable[[], None]) -> Generator[Answered]:
    """The same, by this process."""
    series = new_series(folder, look)
    try:
        for one in pictures:
            yield one, answer_to(series, one)
    finally:
        series.close()


class CrewProcess:
    """One of them. given: what it has been given and not yet answered, in order."""

    def __init__(self, folder: Path) -> None:
        self.connection, other = Pipe()
        self.given = deque["ListedPicture"]()
        with other:
            words = [sys.executable, "-P", "-m", "bellwire.viz.cli.shots.worker", str(other.fileno()), str(folder)]
            self._process = subprocess.Popen(words, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL)

    def give(self, pictures: Sequence[ListedPicture]) -> None:
        """Some more to make."""
        self.given += pictures
        with suppress(OSError):  # it has died, which is found where its answer is waited for
            self.connection.send(list(pictures))

    def answer(self) -> MadeFiles | str:
        """The next one, which has come. EOFError if it has died."""
        try:
            answer: MadeFiles | str = self.connection.recv()
        except (OSError, EOFError) as error:
            raise EOFError from error
        return answer

    def why(self) -> str:
        """Why there is no answer: how it ended."""
        code = self._process.wait()
        if code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            return f"The process that was making it was ended by {name}."
        return f"The process that was making it ended with {code}."

    def close(self) -> None:
        """Ends it."""
        self.connection.close()
        self._process.kill()
        self._process.wait()


class Crew:
    """All of them, closed by `with`."""

    def __init__(self, folder: Path, size: int) -> None:
        self.folder, self.size = folder, size
        self.processes: list[CrewProcess] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for process in self.processes:
            process.close()

    def answers(self, pictures: Sequence[ListedPicture], look: Callable[[], None]) -> Generator[Answered]:
        """As answers_of_crew() has them. pictures: in good order."""
        left = deque(stretches_for(pictures, self.size))
        self.processes = [CrewProcess(self.folder) for _ in range(min(self.size, len(left)))]
        for process in self.processes:
            process.give(left.popleft())
        while busy := {process.connection: process for process in self.processes if process.given}:
            look()
            for connection in wait(list(busy), LOOK_SECONDS):
                assert isinstance(connection, Connection)
                process = busy[connection]
                try:
                    answer = process.answer()
                except EOFError:
                    yield process.given.popleft(), process.why()
                    if process.given or left:
                        process = self._instead_of(process)
                else:
                    yield process.given.popleft(), answer
                if not process.given and left:
                    process.give(left.popleft())

    def _instead_of(self, dead: CrewProcess) -> CrewProcess:
        """A new process, with what one that has died had still to do."""
        dead.close()
        self.processes[self.processes.index(dead)] = new = CrewProcess(self.folder)
        if dead.given:
            new.give(list(dead.given))
        return new


def stretches_for(pictures: Sequence[ListedPicture], size: int) -> list[list[ListedPicture]]:
    """Pictures in good order as stretches for so many processes, each of one recording."""
    most = max(min(MOST_AT_A_TIME, len(pictures) // size), 1)
    shares: list[list[ListedPicture]] = []
    for one in pictures:
        if not shares or len(shares[-1]) == most or shares[-1][0].recording != one.recording:
            shares.append([])
        shares[-1].append(one)
    return shares
