"""The plots beside the diagram, from the top, where they suit the scenario. Another one is one more file and one more
name here."""

from __future__ import annotations

from viz.plots.distribution import DistributionPlot
from viz.plots.exits import ExitsPlot
from viz.plots.latency import LatencyPlot
from viz.plots.plot import Plot
from viz.plots.suppression import SuppressionPlot

PLOTS: tuple[type[Plot], ...] = (SuppressionPlot, LatencyPlot, DistributionPlot, ExitsPlot)
