"""`bellwire quiz`: a guest in trouble, in the terminal. A number names the cause, a letter asks for evidence."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from string import ascii_lowercase
from typing import TYPE_CHECKING, Annotated

import typer

from bellwire.engine.language import tr
from bellwire.viz.cli.lessons.lab_recordings import Replayed, lab_recording, why_replayed
from bellwire.viz.cli.options import InLanguage, app
from bellwire.viz.cli.terminal import DONE, FAILED, out

if TYPE_CHECKING:
    from bellwire.viz.lessons.labs.lab_run import LabRun
    from bellwire.viz.lessons.labs.quiz import Quiz

MOST_SEEDS = 9999  # of those that are drawn, so that one can be told to somebody
GIVES_UP = ("q", "quit", "give up")


@app.command()
def quiz(
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**32 - 1, metavar="N", help="The same N is the same guest again.")
    ] = None,
    lab: Annotated[str | None, typer.Option(metavar="NAME", help="This lab, rather than one that is drawn.")] = None,
    replay: Replayed = False,
    language: InLanguage = None,
) -> int:
    """Runs a guest in trouble: ask for evidence, each piece costs points, and name the cause."""
    from bellwire.viz.lessons.labs.lab_texts import riddle_named
    from bellwire.viz.lessons.labs.quiz import Quiz
    from bellwire.viz.text.languages import language_wanted, speak_language

    speak_language(language or language_wanted())
    drawn = random.SystemRandom().randint(1, MOST_SEEDS) if seed is None else seed
    made = Quiz.drawn(drawn, riddle_named(lab) if lab else None)
    why = why_replayed(replay)
    with lab_recording(made.lab, why, f"quiz {drawn}") as path:
        run = lab_run_of(path)
        Round(made, run, bool(why)).play()
    return DONE if made.named else FAILED


def lab_run_of(path: Path) -> LabRun:
    """What a recording shows; RecordingError if it cannot be read."""
    from bellwire.engine.recordings.recording import Recording
    from bellwire.viz.lessons.labs.lab_run import LabRun

    return LabRun.of_recording(Recording(path))


class Round:
    """One quiz with whoever sits at the terminal."""

    def __init__(self, quiz: Quiz, run: LabRun, replayed: bool, read: Callable[[], str] = lambda: input("> ")) -> None:
        """read: the next line; EOFError if there are no more, which is giving up."""
        self.quiz, self.run, self.replayed, self._read = quiz, run, replayed, read

    def play(self) -> None:
        """Until the cause has been named, or somebody gives up."""
        from bellwire.viz.lessons.labs.quiz import POINTS

        state = tr("REPLAY") if self.replayed else tr("LIVE")
        begins = tr(
            "Quiz {seed}, {state} on {backend}: {points} points to begin with.",
            seed=self.quiz.seed,
            state=state,
            backend=self.run.backend,
            points=POINTS,
        )
        out(f"{begins}\n")
        out(f"{self.run.symptom(self.quiz.lab)}\n")
        self._offer()
        while not self.quiz.over:
            self._answer(self._line())
        self._tell()

    def _offer(self) -> None:
        """What may be named, and what may be asked for."""
        from bellwire.viz.lessons.labs.clues import CLUES

        out(tr("What is the cause?"))
        for number, cause in enumerate(self.quiz.choices(self.run), 1):
            out(f"  {number}  {cause.text}")
        out(f"\n{tr('Or ask, at a price:')}")
        for letter, clue in zip(ascii_lowercase, CLUES, strict=False):
            out(f"  {letter}  {tr(clue.ask)} ({clue.cost})")
        out(f"\n{tr('A number names the cause, a letter asks, q gives up.')}")

    def _line(self) -> str:
        """What was typed; at the end of the input it is given up."""
        sys.stdout.flush()
        try:
            return self._read().strip().lower()
        except EOFError:
            return GIVES_UP[0]

    def _answer(self, line: str) -> None:
        from bellwire.viz.lessons.labs.clues import CLUES

        choices = self.quiz.choices(self.run)
        letters = ascii_lowercase[: len(CLUES)]
        if line in GIVES_UP:
            self.quiz.given_up = True
        elif line.isdecimal() and 1 <= int(line) <= len(choices):
            self._name(int(line) - 1)
        elif len(line) == 1 and line in letters:
            for sentence in self.quiz.ask(CLUES[letters.index(line)].name, self.run):
                out(f"  {sentence}")
            out(f"  {self._left()}")
        elif line:
            most, last = len(choices), letters[-1]
            out("  " + tr("A number from 1 to {most}, a letter from a to {last}, or q.", most=most, last=last))

    def _name(self, choice: int) -> None:
        ruled = self.quiz.name(self.quiz.choices(self.run)[choice], self.run)
        told = {True: tr("Yes: {why}", why=ruled.why), False: tr("No: {why}", why=ruled.why), None: ruled.why}
        out(f"  {told[ruled.holds]}")
        if not ruled.holds:
            out(f"  {self._left()}")

    def _left(self) -> str:
        return tr("Left: {points}.", points=self.quiz.score)

    def _tell(self) -> None:
        """The cause, and how it is mended."""
        from bellwire.viz.lessons.labs.causes import ruling

        lab = self.quiz.lab
        if self.quiz.given_up:
            why = ruling(self.run, lab.cause.name).why
            out("\n" + tr("It was: {cause} {why}", cause=lab.cause.text, why=why))
        out(f"\n{tr(lab.scenario.shows)}\n{lab.mended}")
        ended = tr(
            "{points}: {asked} asked, {tried} named in vain. It was {lab}:",
            points=self.quiz.score,
            asked=len(self.quiz.asked),
            tried=len(self.quiz.tried),
            lab=lab.name,
        )
        out(f"\n{ended}")
        out(f"  bellwire run {lab.name}\n  bellwire handout {lab.name}\n  bellwire quiz --seed {self.quiz.seed}")
