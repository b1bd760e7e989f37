"""Where the diagram's things are on the screen: tokens on their tracks, and what is under the pointer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF
from PySide6.QtGui import QFontMetricsF, QPainterPath, QPainterPathStroker

from bellwire.viz.diagram import sprites
from bellwire.viz.diagram.blueprint import Blueprint, Counter, Leg, Part, Wire
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.painter import square, width_of
from bellwire.viz.model.travel import Token

NEAR = 20  # canvas pixels from a token that still mean it
WIRE_REACH = 16  # the same across a wire


@dataclass(frozen=True)
class Placed:
    """A token where it is painted; `label` is empty if it would cover another. turned: it has become an interrupt."""

    token: Token
    at: QPointF
    label: str
    label_at: QPointF
    region: QRect
    turned: bool = False


class Light(NamedTuple):
    """How a part shines: in which of the theme's colours, and whether something is in it now."""

    color: str
    inside: bool


class PlacedBlueprint:
    """A blueprint in a widget of a certain size."""

    def __init__(self, plan: Blueprint, geometry: Geometry) -> None:
        self.plan, self.geometry = plan, geometry
        self._tracks = {name: sprites.Track(geometry.path(leg.points)) for name, leg in plan.legs.items()}
        self._node_rects = {name: geometry.rect(node.rect) for name, node in plan.nodes.items()}
        self._nodes_of = {name: self._nodes_on(leg) for name, leg in plan.legs.items()}
        self._turns = {name: self._share(leg) for name, leg in plan.legs.items() if leg.before}
        self._font = geometry.font(12.5, 600, mono=True)
        self._height = QFontMetricsF(self._font).height()

    # -- tokens

    def _share(self, leg: Leg) -> float:
        """The share of the way after which a doorbell is an interrupt."""
        whole, before = (self.geometry.path(points).length() for points in (leg.points, leg.before))
        return before / max(whole, 1.0)

    def track(self, token: Token) -> sprites.Track:
        """The way of a token's leg."""
        lane = f"{token.leg}.{token.lane}"
        return self._tracks[lane if lane in self._tracks else token.leg]

    def knows(self, token: Token) -> bool:
        """Whether the picture has a line for it: a recording may tell of a way that its scenario cannot take."""
        return token.leg in self._tracks or f"{token.leg}.{token.lane}" in self._tracks

    def place(self, tokens: list[Token], still: bool) -> list[Placed]:
        """Where each token is, and which labels have room. still: tokens stand in the middle of their leg."""
        placed: list[Placed] = []
        taken = [self.circle(counter, 0.9) for counter in self.plan.counters.values()]
        if self.plan.lights:  # nodes are painted over the tokens
            taken += self._node_rects.values()
        for token in sorted(filter(self.knows, tokens), key=lambda token: -token.seq):
            at = self.track(token).point(0.5 if still else token.at)
            label = self._label_rect(token, at)
            free = self._free_of_nodes(token) and not any(label.intersects(other) for other in taken)
            if free:
                taken.append(label)
            around = square(at, sprites.GLOW * self.geometry.scale)
            around = around.united(label) if free else around
            region = around.toAlignedRect().adjusted(-1, -1, 1, 1)
            turned = token.at > self._turns.get(token.leg, 1.0)
            placed.append(Placed(token, at, token.label if free else "", label.topLeft(), region, turned))
        return placed

    def _free_of_nodes(self, token: Token) -> bool:
        """At the ends of a leg a label would cover the node's words."""
        length = max(self.track(token).length, 1.0)
        end = min(0.4, 30 * self.geometry.scale / length)
        return self.plan.leg(token.leg, token.lane).label == "right" or end < token.at < 1 - end

    def _label_rect(self, token: Token, at: QPointF) -> QRectF:
        width, height = width_of(token.label, self._font) + sprites.LABEL_PAD, self._height
        away = 15 * self.geometry.scale
        rect = QRectF(at.x() - width / 2, at.y() - away - height, width, height)
        side = self.plan.leg(token.leg, token.lane).label
        arriving = abs(at.y() - self.track(token).point(1).y()) < 1  # on the wire that others travel too
        if side == "below" and not arriving:
            rect.moveTop(at.y() + away)
        elif side == "right":
            rect.moveTopLeft(QPointF(at.x() + away, at.y() - height / 2))
        return rect

    def lit(self, placed: list[Placed]) -> dict[str, Light]:
        """The nodes that shine: on the way of what travels, and more where a token is inside."""
        found: dict[str, Light] = {}
        for one in sorted(placed, key=lambda one: one.token.count):
            color = sprites.token_color(one.token, one.turned)
            for name in self._on_the_way(one.token):
                inside = self._node_rects[name].contains(one.at)
                if inside or not found.get(name, Light("", False)).inside:
                    found[name] = Light(color, inside)
        return found

    def _on_the_way(self, token: Token) -> tuple[str, ...]:
        lane = f"{token.leg}.{token.lane}"
        return self._nodes_of[lane if lane in self._nodes_of else token.leg]

    def _nodes_on(self, leg: Leg) -> tuple[str, ...]:
        """The nodes that a leg's corners touch."""
        corners = [self.geometry.point(point) for point in leg.points]
        near = {name: rect.adjusted(-2, -2, 2, 2) for name, rect in self._node_rects.items()}
        return tuple(name for name, rect in near.items() if any(rect.contains(corner) for corner in corners))

    # -- parts

    def circle(self, counter: Counter, share: float) -> QRectF:
        """The square around a share of a counter's circle."""
        return square(self.geometry.point(counter.center), counter.radius * self.geometry.scale * share)

    def outlines(self) -> Iterator[tuple[str, Part, QPainterPath]]:
        """Every part that can be pointed at, the innermost first."""
        geometry, plan = self.geometry, self.plan
        for name, counter in plan.counters.items():
            yield name, counter, ellipse(self.circle(counter, 1))
        for name, pill in plan.pills.items():
            yield name, pill, rectangle(geometry.pill(pill.center))
        for name, ring in plan.rings.items():
            yield name, ring, ellipse(square(geometry.point(ring.center), ring.radius * geometry.scale))
        for name, node in plan.nodes.items():
            yield name, node, rectangle(geometry.rect(node.rect))
        for name, wire in plan.wires.items():
            yield name, wire, self._around(wire)
        for name, box in reversed(plan.boxes.items()):
            yield name, box, rectangle(geometry.rect(box.rect))

    def _around(self, wire: Wire) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(WIRE_REACH * self.geometry.scale)
        return stroker.createStroke(self.geometry.path(wire.points))

    def at(self, point: QPointF) -> tuple[str, Part] | None:
        """The innermost part at a point."""
        return next(((name, part) for name, part, outline in self.outlines() if outline.contains(point)), None)


def ellipse(rect: QRectF) -> QPainterPath:
    """The ellipse in a rectangle."""
    path = QPainterPath()
    path.addEllipse(rect)
    return path


def rectangle(rect: QRectF) -> QPainterPath:
    """The rectangle as a path."""
    path = QPainterPath()
    path.addRect(rect)
    return path
