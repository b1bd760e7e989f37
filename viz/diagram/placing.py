"""Where the diagram's things are on the screen: tokens on their tracks, and what is under the pointer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from PySide6.QtCore import QPointF, QRect, QRectF, QSizeF
from PySide6.QtGui import QFontMetricsF, QPainterPath, QPainterPathStroker

from bellwire.engine.events import Clock
from bellwire.viz.diagram import sprites
from bellwire.viz.diagram.blueprint import Blueprint, Counter, Leg, Part, RingBuffer, Wire
from bellwire.viz.diagram.geometry import Geometry
from bellwire.viz.diagram.painter import square, width_of
from bellwire.viz.diagram.stretches import StopPlace, Stretch, parts_ahead, parts_along, stages_around, stops_along
from bellwire.viz.model.travel import Token
from bellwire.viz.stages.way import StageWay
from bellwire.viz.text.figures import spent

NEAR = 20  # canvas pixels from a token that still mean it
WIRE_REACH = 16  # the same across a wire
LABEL_SHARES = (0.5, 0.35, 0.65, 0.2, 0.8, 0.42, 0.58, 0.27, 0.73, 0.1, 0.9)  # of a stretch, where its label may stand
LABEL_REACH = 90  # canvas pixels of the text from a token to the far end of its label
ASIDE = ("eoi",)  # stages that a part stands for on no leg
SMEAR = 9  # canvas pixels on either side of a stretch on which a token is somewhere


@dataclass(frozen=True)
class Placed:
    """A token where it is painted; `label` is empty if it would cover another. turned: it has become an interrupt.

    smear: the stretch of its leg where it is somewhere, if that is no place; None: it is at `at`. turn: the share of
    the leg behind which it is an interrupt.
    """

    token: Token
    at: QPointF
    label: str
    label_at: QPointF
    region: QRect
    turned: bool = False
    smear: Stretch | None = None
    turn: float = 1.0

    @property
    def smears(self) -> list[tuple[Stretch, bool]]:
        """The smear before the turn and behind it, and whether it is an interrupt there."""
        if self.smear is None:
            return []
        start, end = self.smear
        both = (Stretch(start, min(end, self.turn)), False), (Stretch(max(start, self.turn), end), True)
        return [(part, turned) for part, turned in both if part.start < part.end]


class Light(NamedTuple):
    """How a part shines: in which of the theme's colours, and whether something is in it now."""

    color: str
    inside: bool


class PlacedBlueprint:
    """A blueprint in a widget of a certain size."""

    def __init__(self, plan: Blueprint, geometry: Geometry) -> None:
        self.plan, self.geometry = plan, geometry
        self._tracks: dict[str, sprites.Track] = {}  # of the legs that a token has been on
        self._node_rects = {name: geometry.rect(node.rect) for name, node in plan.nodes.items()}
        self._nodes_of = {name: self._nodes_on(leg) for name, leg in plan.legs.items()}
        self._stops: dict[tuple[str, StageWay], dict[int, StopPlace]] = {}
        self._reached: dict[tuple[str, StageWay, int], tuple[str, ...]] = {}  # nodes on a leg, by the stop
        self._halts: dict[str, list[float]] = {}  # shares of a leg at which its parts are
        self._turns = {name: self._share(leg) for name, leg in plan.legs.items() if leg.before}
        self.words: list[QRectF] = []  # that no token's label may cover
        self._words_near: dict[str, list[QRectF]] = {}  # of the legs that a token has been on
        self._font = geometry.font(12.5, 600, mono=True)
        self._height = QFontMetricsF(self._font).height()

    # -- tokens

    def _share(self, leg: Leg) -> float:
        """The share of the way after which a doorbell is an interrupt."""
        whole, before = (self.geometry.path(points).length() for points in (leg.points, leg.before))
        return before / max(whole, 1.0)

    def track(self, token: Token) -> sprites.Track:
        """The way of a token's leg."""
        name = self._leg_of(token)
        if name not in self._tracks:
            self._tracks[name] = sprites.Track(self.geometry.path(self.plan.legs[name].points))
        return self._tracks[name]

    def _leg_of(self, token: Token) -> str:
        """The name of its leg, of several that of its lane."""
        lane = f"{token.leg}.{token.lane}"
        return lane if lane in self.plan.legs else token.leg

    def knows(self, token: Token) -> bool:
        """Whether the picture has a line for it: a recording may tell of a way that its scenario cannot take."""
        return self._leg_of(token) in self.plan.legs

    def stretch(self, token: Token) -> Stretch:
        """Where on its leg a token may be: in real time a point, in slow motion where its stages stand."""
        if token.way is None:
            return Stretch(token.at, token.at)
        start, end = self.stop_place(token, token.first).where, self.stop_place(token, token.last).where
        if token.first == token.last and not token.somewhere:
            at = start.start + token.share * (start.end - start.start)
            return Stretch(at, at)
        return Stretch(start.start, end.end)

    def stop_place(self, token: Token, stop: int) -> StopPlace:
        """Where a stop of its way stands on the token's leg, or the nearest that does."""
        assert token.way is not None
        name = self._leg_of(token)
        if (name, token.way) not in self._stops:
            self._stops[name, token.way] = stops_along(self.plan, self.plan.legs[name], token.leg, token.way)
        known = self._stops[name, token.way]
        return known[min(max(stop, min(known)), max(known))]

    def _stood(self, token: Token) -> Stretch:
        """Where it stands if it does not glide: at the last part that it has come to, and then at the next."""
        where, name = self.stretch(token), self._leg_of(token)
        if where.start < where.end:
            return where
        if name not in self._halts:
            ends: dict[str, list[float]] = {}
            for part in parts_along(self.plan, self.plan.legs[name]):
                ends.setdefault(part.name, []).extend(part.where)
            middles = ((min(shares) + max(shares)) / 2 for shares in ends.values())
            self._halts[name] = sorted(share for share in middles if 0 < share < 1) or [0.5]
        halts = self._halts[name]
        at = max((share for share in halts if share <= where.start), default=halts[0])
        return Stretch(at, at)

    def keep_free(self, words: list[QRectF]) -> None:
        """Words that no token's label may cover."""
        self.words, self._words_near = words, {}

    def _words_beside(self, token: Token) -> list[QRectF]:
        """Those that a label of a token on this leg could cover."""
        name = self._leg_of(token)
        if name not in self._words_near:
            reach = LABEL_REACH * self.geometry.px(1)
            stroker = QPainterPathStroker()
            stroker.setWidth(2 * reach)
            around = stroker.createStroke(self.geometry.path(self.plan.legs[name].points))
            self._words_near[name] = [rect for rect in self.words if around.intersects(rect)]
        return self._words_near[name]

    def place(self, tokens: list[Token], still: bool, clock: Clock) -> list[Placed]:
        """Where each token is, and which labels have room. still: it jumps from part to part."""
        placed: list[Placed] = []
        taken = [self.circle(counter, 0.9) for counter in self.plan.counters.values()]
        taken += [self._around_ring(ring) for ring in self.plan.rings.values()]
        if self.plan.lights or any(token.way for token in tokens):  # nodes are painted over the tokens
            taken += self._node_rects.values()
        for token in sorted(filter(self.knows, tokens), key=lambda token: -token.seq):
            where = self._stood(token) if still else self.stretch(token)
            smear = where if where.start < where.end else None
            share, words = (where.start + where.end) / 2, words_of(token, clock)
            at = self.track(token).point(share)
            label, free = self._labelled(token, where, words, taken)
            if free:
                taken.append(label)
            around = square(at, sprites.GLOW * self.geometry.scale)
            if smear:
                around = around.united(self.smeared(token, smear))
            around = around.united(label) if free else around
            region = around.toAlignedRect().adjusted(-1, -1, 1, 1)
            turn = self._turns.get(token.leg, 1.0)
            label_at = label.topLeft()
            placed.append(Placed(token, at, words if free else "", label_at, region, share > turn, smear, turn))
        return placed

    def _labelled(self, token: Token, where: Stretch, words: str, labels: list[QRectF]) -> tuple[QRectF, bool]:
        """Where its label stands, and whether that is free; along a stretch the first place that is."""
        rect, taken = QRectF(), labels + self._words_beside(token)
        for share in LABEL_SHARES if where.start < where.end else (0.5,):
            on_leg = where.start + share * (where.end - where.start)
            rect = self._label_rect(token, self.track(token).point(on_leg), words)
            around = rect.adjusted(-1, -1, 1, 1)  # two words that touch read as one
            if self._free_of_nodes(token, on_leg) and not any(around.intersects(other) for other in taken):
                return rect, True
        return rect, False

    def smeared(self, token: Token, smear: Stretch) -> QRectF:
        """Around the stretch on which a token is somewhere."""
        reach = SMEAR * self.geometry.scale
        return self.track(token).between(*smear).boundingRect().adjusted(-reach, -reach, reach, reach)

    def _free_of_nodes(self, token: Token, share: float) -> bool:
        """At the ends of a leg a label would cover the node's words."""
        length = max(self.track(token).length, 1.0)
        end = min(0.4, 30 * self.geometry.scale / length)
        return self.plan.leg(token.leg, token.lane).label == "right" or end < share < 1 - end

    def label_size(self, words: str) -> QSizeF:
        """How much room a label takes, pixels."""
        return QSizeF(width_of(words, self._font) + sprites.LABEL_PAD, self._height)

    def _label_rect(self, token: Token, at: QPointF, words: str) -> QRectF:
        size, away = self.label_size(words), 15 * self.geometry.scale
        width, height = size.width(), size.height()
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
            there = self._nodes_at(one.token)
            for name in dict.fromkeys((*self._on_the_way(one.token), *there)):
                inside = name in there if one.token.way else self._node_rects[name].contains(one.at)
                if inside or not found.get(name, Light("", False)).inside:
                    left = inside and color == "heavy"
                    found[name] = Light(color if left else self._own_color(name, color), inside)
        return found

    def _own_color(self, name: str, otherwise: str) -> str:
        """The colour of a node that is doorbells' or interrupts': only what is in it by way of user space adds one."""
        edge = self.plan.nodes[name].edge
        return edge if edge in ("doorbell", "interrupt") else otherwise

    def _nodes_at(self, token: Token) -> set[str]:
        """The nodes of the stages at which a token may be: on its leg, but for what is told beside.

        A leg without wires, where something is kept, leads along no node.
        """
        kept = not self.plan.leg(token.leg, token.lane).along
        found: set[str] = set()
        for stop in range(token.first, token.last + 1) if token.way and not kept else ():
            parts = self.plan.nodes.keys() & set(self.stop_place(token, stop).parts)
            found |= parts or self._nodes_for(token, stop)
        for stage in token.stages if kept else (token.beside,):
            of = ([n for n, node in self.plan.nodes.items() if node.stage == known] for known in stages_around(stage))
            found.update(next(filter(None, of), []))
        return found

    def _nodes_for(self, token: Token, stop: int) -> set[str]:
        """The nodes that stand for a stop's stage alone, beside the leg: where KVM itself ends the interrupt."""
        assert token.way is not None
        return {name for name, node in self.plan.nodes.items() if node.stage == token.way.names[stop] in ASIDE}

    def _on_the_way(self, token: Token) -> tuple[str, ...]:
        """The nodes on its leg, as far as it may have come."""
        name = self._leg_of(token)
        if token.way is None or not self.plan.legs[name].along:
            return self._nodes_of[name]
        asked = name, token.way, token.last
        if asked not in self._reached:
            ahead = parts_ahead(self.plan, self.plan.legs[name], token.leg, token.way, token.last)
            self._reached[asked] = tuple(node for node in self._nodes_of[name] if node not in ahead)
        return self._reached[asked]

    def _nodes_on(self, leg: Leg) -> tuple[str, ...]:
        """The nodes that a leg's corners touch."""
        corners = [self.geometry.point(point) for point in leg.points]
        near = {name: rect.adjusted(-2, -2, 2, 2) for name, rect in self._node_rects.items()}
        return tuple(name for name, rect in near.items() if any(rect.contains(corner) for corner in corners))

    # -- parts

    def circle(self, counter: Counter, share: float) -> QRectF:
        """The square around a share of a counter's circle."""
        return square(self.geometry.point(counter.center), counter.radius * self.geometry.scale * share)

    def _around_ring(self, ring: RingBuffer) -> QRectF:
        return square(self.geometry.point(ring.center), ring.radius * self.geometry.scale)

    def outlines(self) -> Iterator[tuple[str, Part, QPainterPath]]:
        """Every part that can be pointed at, the innermost first."""
        geometry, plan = self.geometry, self.plan
        for name, counter in plan.counters.items():
            yield name, counter, ellipse(self.circle(counter, 1))
        for name, pill in plan.pills.items():
            yield name, pill, rectangle(geometry.pill(pill.center))
        for name, ring in plan.rings.items():
            yield name, ring, ellipse(self._around_ring(ring))
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


def words_of(token: Token, clock: Clock) -> str:
    """A token's number; where no stamp tells stages apart, within which time all of them lie."""
    return f"{token.label} ≤ {spent(clock, token.cycles)}" if token.cycles and not clock.emulated else token.label


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
