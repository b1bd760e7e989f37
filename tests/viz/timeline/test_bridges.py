"""The ways across the lanes: each of its colour in one path, between the edges that face each other."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QPointF, QRectF

from bellwire.viz.timeline.bridges import BridgePaths

pytestmark = pytest.mark.usefixtures("qapp")

RECTS = {"guest0": QRectF(0, 0, 100, 10), "kvm0": QRectF(0, 20, 100, 10), "io0": QRectF(0, 40, 100, 10)}


def test_a_bridge_ends_at_the_edges_that_face_kvm_and_points_into_its_lane() -> None:
    paths = BridgePaths(RECTS)
    paths.bridge("guest0", 10, 60, "io0", "kvm0", "doorbell", False)
    paths.bridge("io0", 70, 80, "guest0", "kvm0", "doorbell", False)
    (strokes,) = paths.strokes.values()
    lines, tips = strokes.lines.boundingRect(), strokes.tips
    assert (lines.top(), lines.bottom(), lines.left(), lines.right()) == (10, 40, 10, 80)
    assert tips.contains(QPointF(60, 37))
    assert not tips.contains(QPointF(60, 43))
    assert tips.contains(QPointF(80, 13))
    assert not tips.contains(QPointF(80, 7))


def test_what_is_chosen_is_apart_and_what_leads_to_no_lane_is_left_out() -> None:
    paths = BridgePaths(RECTS)
    paths.bridge("guest0", 10, 60, "io0", "kvm0", "doorbell", False)
    paths.leap("guest0", 10, 60, "io0", "heavy", True)
    paths.bridge("guest1", 10, 60, "io0", "kvm0", "interrupt", False)
    paths.leap("guest0", 10, 60, "io1", "interrupt", False)
    assert sorted(paths.strokes) == [(False, "doorbell"), (True, "heavy")]
