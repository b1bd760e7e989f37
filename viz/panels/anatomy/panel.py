"""What the kernel does on a signal's way, stage by stage; the one that is chosen in the diagram is marked."""

from __future__ import annotations

from html import escape

from PySide6.QtCore import QUrl
from PySide6.QtWidgets import QTextBrowser, QVBoxLayout, QWidget

from bellwire.engine.events import Switch
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.model.live import LiveModel
from bellwire.viz.panels.calls.state import kernel_stage
from bellwire.viz.panels.panel import SIDE, Panel
from bellwire.viz.stages.anatomy import Path, Stage, load_anatomy, paths_of
from bellwire.viz.style.card import PADDING
from bellwire.viz.style.theme import MONO, Theme
from bellwire.viz.text.figures import breakable

KERNEL = "Linux 6.18"


class AnatomyPanel(Panel):
    """The ways that this scenario's signals take as the switches stand."""

    title = "Anatomy"
    name = "anatomy"
    place = SIDE
    tip = "What the kernel does at each stage of a signal's way, with the function's name and file"

    def __init__(self, model: LiveModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(model, theme, parent)
        self.facts = f"names of {KERNEL}"
        self.text = QTextBrowser()
        self.text.setOpenLinks(False)
        self.text.anchorClicked.connect(self.choose)
        self.text.setAccessibleName("Stages of the signals' ways")
        self._around = QVBoxLayout(self)
        self._around.addWidget(self.text)
        self._html = ""
        self._stage = ""
        self.model.selection.changed.append(self._follow)
        self._follow()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Those of now."""
        scenario, known = self.model.scenario, self.model.tally.wiring
        begins = {
            Switch.IOEVENTFD: bool(scenario.doorbell and scenario.doorbell.ioeventfd),
            Switch.IRQFD: bool(scenario.interrupt and scenario.interrupt.irqfd),
        }
        return paths_of(scenario, lambda switch: known.get(switch, begins[switch]))

    def choose(self, link: QUrl) -> None:
        """The stage of a link, and the diagram's part that stands for it."""
        stage = link.toString().removeprefix("stage:")
        plan = blueprint_of(self.model.scenario, self.model.source.backend)
        names = [name for table in (plan.wires, plan.counters, plan.nodes) for name in table]
        part = next((name for name in names if kernel_stage(self.model, name) == stage), "")
        self.model.selection.choose(part=part)
        self._point_at(stage)

    def _follow(self) -> None:
        self._point_at(kernel_stage(self.model, self.model.selection.part))

    def _point_at(self, stage: str) -> None:
        if stage != self._stage:
            self._stage = stage
            self.redraw()
            if stage:
                self.text.scrollToAnchor(f"at-{stage}")

    def redraw(self) -> None:
        """Writes it anew if a switch, the choice or the theme has changed it."""
        html = self._written()
        if html != self._html:
            self._html = html
            at = self.text.verticalScrollBar().value()
            self.text.setHtml(html)
            self.text.verticalScrollBar().setValue(at)

    def _written(self) -> str:
        paths = self.paths
        apart = load_anatomy().stages.get(self._stage)
        on_paths = {stage.name for path in paths for stage in (*path.once, *path.stages)}
        first = self._stage_html(apart, 0, []) if apart and apart.name not in on_paths else ""
        taken: list[str] = []  # a stage that both ways pass has its text once
        return first + "".join(self._path_html(path, taken) for path in paths)

    def _path_html(self, path: Path, taken: list[str]) -> str:
        commit = f"<br>{self._mono(f'{path.commit} {escape(path.subject)}', 'text_muted')}" if path.commit else ""
        size = self.theme.px(14)
        head = f"<p style='font-size:{size}px;margin-bottom:4px'><b>{escape(path.title)}</b>{commit}</p>"
        once = "".join(self._stage_html(stage, 0, taken) for stage in path.once)
        return head + once + "".join(self._stage_html(stage, n, taken) for n, stage in enumerate(path.stages, 1))

    def _stage_html(self, stage: Stage, number: int, taken: list[str]) -> str:
        """One stage. The chosen one has an arrow and its own background."""
        t, chosen = self.theme, stage.name == self._stage
        parts = [self._title(stage, chosen), self._where(stage)]
        parts.append(self._colored("as above", "text_muted") if stage.name in taken else escape(stage.text))
        source = self.model.source
        if where := stage.left_out(source.backend, source.host.get("kernel", "")):
            parts.append(self._colored(f"Skipped on this back end, {where}.", "paused"))
        taken.append(stage.name)
        back = f" bgcolor='{t.surface_raised}'" if chosen else ""
        count = (
            f"<td valign='top' align='right' width='{t.px(22)}'>{self._colored(str(number or ''), 'text_muted')}</td>"
        )
        cell = f"<td{back}>{'<br>'.join(part for part in parts if part)}</td>"
        style = f"cellspacing='0' cellpadding='4' width='100%' style='font-size:{t.px(13)}px'"
        return f"<table {style}><tr>{count}{cell}</tr></table>"

    def _title(self, stage: Stage, chosen: bool) -> str:
        """A link that chooses the stage."""
        color = self.theme.selection if chosen else self.theme.text
        link = f"name='at-{stage.name}' href='stage:{stage.name}' style='color:{color};text-decoration:none'"
        return f"<a {link}><b>{'▸ ' if chosen else ''}{escape(stage.title)}</b></a>"

    def _where(self, stage: Stage) -> str:
        """Function and file; "" where the kernel takes no part."""
        if not stage.function:
            return ""
        return f"{self._mono(stage.function, 'interrupt')} {self._mono(breakable(stage.file, '/'), 'text_muted')}"

    def _colored(self, text: str, color: str) -> str:
        return f"<span style='color:{self.theme.color(color).name()}'>{text}</span>"

    def _mono(self, text: str, color: str) -> str:
        size = self.theme.px(11)
        return f"<span style='font-family:\"{MONO}\";font-size:{size}px'>{self._colored(text, color)}</span>"

    def set_theme(self, theme: Theme) -> None:
        """Takes every colour and font from `theme`."""
        super().set_theme(theme)
        self._around.setContentsMargins(PADDING - 4, self.header, PADDING - 4, 10)
        self.redraw()
