"""What the tour shows, station by station: a part of the window, and what to know of it, with figures of the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QRect
from PySide6.QtWidgets import QWidget

from bellwire.engine.counted import number_of
from bellwire.engine.language import tr, tr_later
from bellwire.engine.source import Order
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.shown import usual_latency
from bellwire.viz.text.figures import duration, grouped

Show = Callable[["Sights"], tuple[QWidget, ...]]
KeyOf = Callable[[str], str]  # the key of an action, by its name


@dataclass(frozen=True)
class Sights:
    """What a tour leads to. Each gives its place in the window, which may change while the tour is on."""

    window: QWidget
    model: Callable[[], LiveModel]
    diagram: Callable[[], Diagram]
    switches: Callable[[], QWidget]
    factor: Callable[[], QWidget]
    plots: Callable[[], QWidget]
    below: Callable[[], QWidget]
    menus: Callable[[], QWidget]
    key: KeyOf
    reveal: Callable[[QWidget], object]  # scrolls to it, where the window is too small for all

    def places(self, *widgets: QWidget) -> list[QRect]:
        """Where these are in the window, as far as they are to be seen."""
        seen = [widget for widget in widgets if widget.isVisible()]
        found = [QRect(widget.mapTo(self.window, QPoint()), widget.size()) for widget in seen]
        return [rect for rect in (rect.intersected(self.window.rect()) for rect in found) if not rect.isEmpty()]


@dataclass(frozen=True)
class Station:
    """A stop of the tour. show: what it leads to, the largest last; say: the sentences about that, computed."""

    title: str
    show: Show
    say: Callable[[LiveModel, KeyOf], str]
    parts: frozenset[str] = frozenset()  # of the diagram, that are picked out


def of_guest(model: LiveModel, _key: KeyOf) -> str:
    """What the picture is of."""
    if model.replaying:
        return tr(
            "This is a recording of a real guest, made on {cpu}. Each token is something that happened: the guest's "
            "signals go out on top, the host's come back below.",
            cpu=model.source.host.get("cpu", tr("another machine")),
        )
    return tr(
        "A real guest runs in KVM now, on this machine. Each token is something that happens: the guest's signals go "
        "out on top, the host's come back below."
    )


def of_the_doorbell(model: LiveModel, _key: KeyOf) -> str:
    """The light way, in figures."""
    return tr(
        "The guest writes to an I/O address. KVM knows an ioeventfd there, adds to the eventfd's count, and a thread "
        "of the host wakes. Of {rung} so far {received} came.",
        rung=number_of(model.tally.doorbells_rung, "doorbell"),
        received=grouped(model.tally.doorbells_received),
    )


def of_switches(model: LiveModel, key: KeyOf) -> str:
    """What becomes of it without."""
    if reason := model.source.can(Order.IOEVENTFD):
        return tr("These take the ioeventfd and the irqfd away while the guest runs. Not here: {reason}", reason=reason)
    exits = grouped(model.evidence.ways.left)
    if model.wires.ioeventfd:
        return tr(
            "Click the switch, or press {key}: without an ioeventfd each doorbell leaves the guest for user space. "
            "So far {exits} have.",
            key=key("ioeventfd"),
            exits=exits,
        )
    return tr(
        "The ioeventfd is off. Each doorbell now is an exit to user space: {exits} so far. {key} switches it on again.",
        key=key("ioeventfd"),
        exits=exits,
    )


def of_time(_model: LiveModel, key: KeyOf) -> str:
    """Slow motion and stories."""
    return tr(
        "A signal takes microseconds. {slower} slows it down until you can follow it, {end} is the present again, and "
        "{story} tells the story of one signal, stage by stage.",
        slower=key("slower"),
        end=key("newest"),
        story=key("story"),
    )


def of_latency(model: LiveModel, _key: KeyOf) -> str:
    """What the plots say now."""
    usual = usual_latency(model, "round_trip")
    if usual is None:
        return tr("How long each signal takes, how that is distributed, and how many exits it costs. Nothing came yet.")
    return tr(
        "How long each signal takes, how that is distributed, and how many exits it costs. Half of the round trips "
        "take {time} or less now. A click at a point chooses its journey in every view.",
        time=duration(usual),
    )


def of_panels(_model: LiveModel, _key: KeyOf) -> str:
    """What can be asked."""
    return tr(
        "What did each do when? Which calls are behind a wire, and what does the kernel do? Tabs answer that here and "
        "beside the diagram. A click at any part tells what it is, a right click what can be done."
    )


def of_further(_model: LiveModel, key: KeyOf) -> str:
    """Where to go on."""
    return tr(
        "Run has lessons for a lecture and other scenarios, {palette} finds every action by its name, {keys} shows all "
        "keys. Help has this tour.",
        palette=key("palette"),
        keys=key("keys"),
    )


STATIONS: tuple[Station, ...] = (
    Station(tr_later("A guest, and its host"), lambda at: (at.diagram(),), of_guest),
    Station(
        tr_later("A doorbell"),
        lambda at: (at.diagram(),),
        of_the_doorbell,
        frozenset({"driver", "ioeventfd", "doorbell_fd", "wakeup", "wakes"}),
    ),
    Station(tr_later("Take it away"), lambda at: (at.switches(), at.diagram()), of_switches),
    Station(tr_later("Slow motion"), lambda at: (at.factor(), at.diagram()), of_time),
    Station(tr_later("How long it takes"), lambda at: (at.plots(),), of_latency),
    Station(tr_later("Ask"), lambda at: (at.below(),), of_panels),
    Station(tr_later("Where to go on"), lambda at: (at.menus(),), of_further),
)
