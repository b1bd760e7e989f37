"""The anatomy as rich text: the paths, stage by stage, with what is marked of the signal that is looked at.

Marked stages have a bar at the left, in the colour of the doorbell's or the interrupt's way, and words: one of them is
where the signal is, several stand between the first and the last at which it may be.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape

from bellwire.engine.language import tr, tr_later
from bellwire.viz.stages.anatomy import Path, Stage, load_anatomy
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.style.theme import MONO, Theme
from bellwire.viz.text.figures import breakable

HERE, BESIDE = tr_later("◆ The signal is here"), tr_later("◆ Meanwhile, beside the signal")
FROM, UNTIL = tr_later("▼ The signal is at one of these {stages}"), tr_later("▲ or here: no stamp tells them apart")
BAR, TINT = 4, 16  # pixels; per cent of a mark's colour in its ground


def anchor_of(path: str, stage: str) -> str:
    """The name of a stage's place in the text; of one that is on no path, path is ""."""
    return f"at:{path}:{stage}"


@dataclass
class AnatomyPage:
    """backend, kernel: which stages this host leaves out depends on them. chosen: the stage that somebody chose."""

    theme: Theme
    backend: str
    kernel: str
    chosen: str = ""
    mark: StageMark | None = None
    bound: str = ""  # of the mark, in words
    taken: set[str] = field(default_factory=set)  # a stage that both ways pass has its text once

    def html(self, paths: tuple[Path, ...]) -> str:
        """All of it; a chosen stage that is on no path stands first."""
        apart = load_anatomy().stages.get(self.chosen)
        on_paths = {stage.name for path in paths for stage in (*path.once, *path.stages, *path.beside)}
        first = self._entry("", apart, "") if apart and apart.name not in on_paths else ""
        return first + "".join(self._path(path) for path in paths)

    def _path(self, path: Path) -> str:
        commit = f"<br>{self._mono(f'{path.commit} {escape(path.subject)}', 'text_muted')}" if path.commit else ""
        size = self.theme.type_px(14)
        head = f"<p style='font-size:{size}px;margin-bottom:4px'><b>{escape(path.title)}</b>{commit}</p>"
        once = "".join(self._entry(path.name, stage, "") for stage in path.once)
        stages = "".join(self._entry(path.name, stage, str(n)) for n, stage in enumerate(path.stages, 1))
        return head + once + stages + "".join(self._entry(path.name, stage, "∥") for stage in path.beside)

    def _entry(self, path: str, stage: Stage, number: str) -> str:
        """One stage. The chosen one has an arrow and its own background, a marked one its bar and words."""
        t, words, color = self.theme, self._words(path, stage), self.mark.color if self.mark else ""
        marked = bool(words) or self._between(path, stage)
        parts = [words, self._title(path, stage), self._where(stage)]
        again = stage.name in self.taken and not marked
        parts.append(self._colored(tr("as above"), "text_muted") if again else escape(stage.text))
        if where := stage.left_out(self.backend, self.kernel):
            parts.append(self._colored(tr("Skipped on this back end, {where}.", where=where), "paused"))
        self.taken.add(stage.name)
        ground = mixed(t, color, TINT) if marked else t.surface_raised if stage.name == self.chosen else ""
        back = f" bgcolor='{ground}'" if ground else ""
        bar = f" bgcolor='{t.color(color).name()}'" if marked else ""
        place = f"<td valign='top' align='right' width='{t.px(26)}' style='white-space:nowrap'>"
        count = f"{place}{self._colored(number, 'text_muted')}</td>"
        cell = f"<td width='{BAR}'{bar}></td><td{back}>{'<br>'.join(part for part in parts if part)}</td>"
        style = f"cellspacing='0' cellpadding='{BAR}' width='100%' style='font-size:{t.type_px(13)}px'"
        return f"<table {style}><tr>{count}{cell}</tr></table>"

    # -- what is marked

    def _places(self) -> list[tuple[str, str]]:
        return [(stop.path, stop.name) for stop in self.mark.stops] if self.mark else []

    def _between(self, path: str, stage: Stage) -> bool:
        return (path, stage.name) in self._places()

    def _words(self, path: str, stage: Stage) -> str:
        """Over a marked stage: that the signal is here, or at one of those from here on, or until here."""
        places, at = self._places(), (path, stage.name)
        if self.mark is None or at not in (places[0], places[-1]):
            return ""
        if len(places) == 1:
            text = tr(BESIDE) if self.mark.point.beside else tr(HERE)
        else:
            text = tr(FROM, stages=len(places)) if at == places[0] else tr(UNTIL)
        bound = self.bound if at == places[0] else ""
        return f"<b>{self._colored(escape(', '.join(filter(None, (text, bound)))), self.mark.color)}</b>"

    # -- an entry's lines

    def _title(self, path: str, stage: Stage) -> str:
        """A link that chooses the stage."""
        chosen = stage.name == self.chosen
        color = self.theme.selection if chosen else self.theme.text
        link = f"name='{anchor_of(path, stage.name)}' href='stage:{stage.name}'"
        title = f"<b>{'▸ ' if chosen else ''}{escape(stage.title)}</b>"
        return f"<a {link} style='color:{color};text-decoration:none'>{title}</a>"

    def _where(self, stage: Stage) -> str:
        """Function and file; "" where the kernel takes no part."""
        if not stage.function:
            return ""
        return f"{self._mono(stage.function, 'interrupt')} {self._mono(breakable(stage.file, '/'), 'text_muted')}"

    def _colored(self, text: str, color: str) -> str:
        return f"<span style='color:{self.theme.color(color).name()}'>{text}</span>"

    def _mono(self, text: str, color: str) -> str:
        size = self.theme.type_px(11)
        return f"<span style='font-family:\"{MONO}\";font-size:{size}px'>{self._colored(text, color)}</span>"


def mixed(theme: Theme, color: str, percent: int) -> str:
    """A colour over the surface, so much of it, as "#rrggbb"."""
    over, under = theme.color(color), theme.color("surface")
    pairs = ((over.red(), under.red()), (over.green(), under.green()), (over.blue(), under.blue()))
    return "#" + "".join(f"{(one * percent + other * (100 - percent)) // 100:02x}" for one, other in pairs)
