"""What a picture says for whoever does not see it: a caption in a sentence, and a text in its place; of the data."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtWidgets import QWidget

from bellwire.engine.folds.histogram import Histogram
from bellwire.engine.language import tr
from bellwire.viz.diagram.annotations.words import noted_words
from bellwire.viz.diagram.widget import Diagram
from bellwire.viz.model.live import LiveModel
from bellwire.viz.model.moments.looking import stage_mark
from bellwire.viz.model.moments.telling import number_of_journey, signal_told
from bellwire.viz.pictures.drawing import Drawing
from bellwire.viz.pictures.moment import ns_since_first
from bellwire.viz.stages.story import Story
from bellwire.viz.text.figures import duration, grouped
from bellwire.viz.text.host_words import back_end_words

PERCENTILES = (50, 99)


def caption_and_alt(drawing: Drawing, model: LiveModel) -> tuple[str, str]:
    """The caption, and the alt text: that, and what is to be read there."""
    caption = picture_caption(drawing, model)
    return caption, f"{caption} {what_is_said(drawing, model)}".strip()


def picture_caption(drawing: Drawing, model: LiveModel) -> str:
    """What is shown of which run, and when."""
    return tr(
        "{what} of “{title}” {when}, on {backend}.",
        what=what_is_shown(drawing.of),
        title=tr(model.scenario.title),
        when=when_it_is(model),
        backend=back_end_words(model.source.backend, model.source.host),
    )


def what_is_shown(of: QWidget) -> str:
    """The view, as the beginning of a sentence."""
    if isinstance(of, Diagram):
        return tr("Diagram of host, QEMU and guest")
    from bellwire.viz.plots.numbers import Numbers
    from bellwire.viz.style.card import Card

    if isinstance(of, Numbers):
        return tr("Numbers")
    return tr(of.title) if isinstance(of, Card) else tr("The window")


def when_it_is(model: LiveModel) -> str:
    """At which moment."""
    if model.story is not None:
        return where_in_story(model.story)
    after = duration(ns_since_first(model))
    chosen = model.selection.journeys
    if chosen.size and model.transport.exact:
        number = grouped(number_of_journey(chosen))
        return tr("at #{number}, {after} after the first event", number=number, after=after)
    return tr("{after} after the first event", after=after)


def where_in_story(story: Story) -> str:
    """Of which signal, and at which of its stages."""
    rings, number = signal_told(story)
    words = {
        "number": number,
        "which": f", {tr(story.which)}" if story.which else "",
        "stage": story.stop_of(story.step).name,
    }
    if rings:
        return tr("in the story of doorbell #{number}{which}, at the stage {stage}", **words)
    return tr("in the story of interrupt #{number}{which}, at the stage {stage}", **words)


def what_is_said(drawing: Drawing, model: LiveModel) -> str:
    """What there is to be read in it."""
    of = drawing.of
    if isinstance(of, Diagram):
        return diagram_in_words(of)
    from bellwire.viz.plots.distribution import DistributionPlot
    from bellwire.viz.plots.latency import LatencyPlot

    mark = stage_mark(model)
    marked = f"{mark.words(model.clock)}." if mark else ""
    if isinstance(of, LatencyPlot):
        said = latencies_in_words(model, model.latencies.histograms)
    elif isinstance(of, DistributionPlot):
        said = latencies_in_words(model, model.latencies.since)  # what it has the figures of
    elif of.accessibleDescription() not in ("", getattr(of, "tip", "")):  # a panel's, once there is more to say
        said = of.accessibleDescription()
    else:
        said = painted_words(drawing)
    return " ".join(filter(None, (said, marked)))


def diagram_in_words(diagram: Diagram) -> str:
    """Its caption, which is computed from the events, what stands out, and what somebody has noted."""
    titles = {name: box.title for name, box in diagram.blueprint.boxes.items()}
    titles |= {name: node.title for name, node in diagram.blueprint.nodes.items()}
    spoken_of = [title for name, title in titles.items() if name in diagram.highlight and title]
    stands_out = tr("Stands out: {parts}.", parts=", ".join(spoken_of)) if spoken_of else ""
    return " ".join(filter(None, (diagram.caption, stands_out, noted_words(diagram.model))))


def latencies_in_words(model: LiveModel, histograms: Mapping[str, Histogram]) -> str:
    """Percentiles of each latency that is measured."""
    from bellwire.viz.style.curves import curves_of

    told, labels = [], {curve.name: tr(curve.label) for curve in curves_of(model.scenario)}
    for name, histogram in histograms.items():
        if histogram.count and model.latencies.known(name):
            figures = ((percent, histogram.known_percentile(percent)) for percent in PERCENTILES)
            values = ", ".join(f"p{percent} {duration(value)}" for percent, value in figures)
            told.append(f"{labels.get(name, name.replace('_', ' '))}: {values}")
    return f"{'; '.join(told)}." if told else ""


def painted_words(drawing: Drawing) -> str:
    """All that is written in it, in the order in which it is painted."""
    from bellwire.viz.pictures.svg import painted_as_svg

    return " ".join(" ".join(painted_as_svg(*drawing.asked.pixels, drawing.paint).words).split())
