"""The plots beside the diagram, from the top, where they suit the scenario. Another one is one more file and one more
name here."""

from __future__ import annotations

from bellwire.viz.plots.distribution import DistributionPlot
from bellwire.viz.plots.exits import ExitsPlot
from bellwire.viz.plots.latency import LatencyPlot
from bellwire.viz.plots.plot import Plot
from bellwire.viz.plots.suppression import SuppressionPlot

PLOTS: tuple[type[Plot], ...] = (SuppressionPlot, LatencyPlot, DistributionPlot, ExitsPlot)
