"""The plots beside the diagram, from the top. Another plot is one more file and one more name here."""

from __future__ import annotations

from viz.plots.distribution import DistributionPlot
from viz.plots.exits import ExitsPlot
from viz.plots.latency import LatencyPlot
from viz.plots.plot import Plot

PLOTS: tuple[type[Plot], ...] = (LatencyPlot, DistributionPlot, ExitsPlot)
