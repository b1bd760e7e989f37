"""The ways across the lanes, between the edges that face each other, each in a path of its own."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF

from bellwire.viz.timeline.bridges import TOGETHER, BridgePaths

pytestmark = pytest.mark.usefixtures("qapp")

RECTS = {"guest0": QRectF(0, 0, 100, 10), "kvm0": QRectF(0, 20, 100, 10), "io0": QRectF(0, 40, 100, 10)}


def test_a_bridge_ends_at_the_edges_that_face_kvm_and_points_into_its_lane() -> None:
    paths = BridgePaths(RECTS)
    paths.bridge("guest0", 10, 60, "io0", "kvm0", "doorbell", False)
    paths.bridge("io0", 70, 80, "guest0", "kvm0", "doorbell", False)
    (strokes,) = paths.strokes.values()
    there, back = (line.boundingRect() for line in strokes.lines)
    assert (there.top(), there.bottom(), there.left(), there.right()) == (10, 40, 10, 60)
    assert (back.top(), back.bottom(), back.left(), back.right()) == (10, 40, 70, 80)
    (tips,) = strokes.tips
    assert tips.contains(QPointF(60, 37))
    assert not tips.contains(QPointF(60, 43))
    assert tips.contains(QPointF(80, 13))
    assert not tips.contains(QPointF(80, 7))


def test_no_path_grows_with_the_number_of_ways() -> None:
    paths = BridgePaths(RECTS)
    for number in range(50):
        paths.bridge("guest0", 10 + number, 60 + number, "io0", "kvm0", "doorbell", False)
        paths.leap("guest0", 10 + number, 60 + number, "io0", "doorbell", False)
    (strokes,) = paths.strokes.values()
    bridge, leap = BridgePaths(RECTS), BridgePaths(RECTS)
    bridge.bridge("guest0", 10, 60, "io0", "kvm0", "doorbell", False)
    leap.leap("guest0", 10, 60, "io0", "doorbell", False)
    alone = [one.strokes[False, "doorbell"].lines[0].elementCount() for one in (bridge, leap)]
    assert [line.elementCount() for line in strokes.lines] == alone * 50
    arrow = bridge.strokes[False, "doorbell"].tips[0].elementCount()
    assert [tip.elementCount() for tip in strokes.tips] == [arrow * TOGETHER] * (100 // TOGETHER)


def test_what_is_chosen_is_apart_and_what_leads_to_no_lane_is_left_out() -> None:
    paths = BridgePaths(RECTS)
    paths.bridge("guest0", 10, 60, "io0", "kvm0", "doorbell", False)
    paths.leap("guest0", 10, 60, "io0", "heavy", True)
    paths.bridge("guest1", 10, 60, "io0", "kvm0", "interrupt", False)
    paths.leap("guest0", 10, 60, "io1", "interrupt", False)
    assert sorted(paths.strokes) == [(False, "doorbell"), (True, "heavy")]
