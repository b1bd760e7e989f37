"""What is said while a clip is seen: the sentence below the diagram, as cues of a WebVTT file."""

from __future__ import annotations

from dataclasses import dataclass

CUE_SECONDS = 1.0  # that a sentence stays at least: figures in it change more often than they can be read


@dataclass(frozen=True)
class Cue:
    """A sentence, and the frames that it goes with: from the first, to before the second."""

    first: int
    end: int
    text: str


class Cues:
    """Takes the sentence of each frame."""

    def __init__(self, rate: int, least_seconds: float = CUE_SECONDS) -> None:
        """rate: frames a second; least_seconds: a sentence stays for."""
        self.rate = rate
        self._least = round(least_seconds * rate)
        self._begun: list[tuple[int, str]] = []
        self._frames = 0
        self._idle = True  # whether the last one says nothing that would have to be read

    def add(self, text: str, idle: bool = False) -> None:
        """That of the next frame. idle: nothing is to be read in it, so that the next one need not wait."""
        before = self._begun[-1] if self._begun else (0, "")
        if not self._begun or (text != before[1] and (self._idle or self._frames - before[0] >= self._least)):
            self._begun.append((self._frames, text))
            self._idle = idle
        self._frames += 1

    @property
    def all(self) -> list[Cue]:
        """One after the other, without a gap but where nothing is said."""
        ends = [first for first, _ in self._begun[1:]] + [self._frames]
        return [Cue(first, end, text) for (first, text), end in zip(self._begun, ends, strict=False) if text]

    def webvtt(self, language: str) -> str:
        """The file."""
        parts = [f"WEBVTT\nLanguage: {language}\n"]
        for cue in self.all:
            span = f"{vtt_time(cue.first / self.rate)} --> {vtt_time(cue.end / self.rate)}"
            parts.append(f"{span}\n{vtt_text(cue.text)}\n")
        return "\n".join(parts)


def vtt_time(seconds: float) -> str:
    """ "00:00:02.500"."""
    ms = round(seconds * 1000)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def vtt_text(text: str) -> str:
    """A sentence of which nothing is markup."""
    return " ".join(text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").split())
