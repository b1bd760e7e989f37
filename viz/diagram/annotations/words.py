"""What an annotation is at, in words: for the list, for tooltips, for who listens."""

from __future__ import annotations

from bellwire.engine.language import tr
from bellwire.engine.recordings.annotations.annotation import Annotation, AnnotationKind, EventPin, PartPin, StagePin
from bellwire.viz.diagram.blueprint import Blueprint, Box, Counter, Node
from bellwire.viz.model.annotations.seen import annotations_seen
from bellwire.viz.model.live import LiveModel
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.text.event_words import kind_name
from bellwire.viz.text.figures import duration, grouped


def part_title(plan: Blueprint, name: str) -> str:
    """What the picture calls a part, else its own name."""
    part = plan.part(name)
    if isinstance(part, Box | Node):
        return part.title or name
    return part.name if isinstance(part, Counter) else name


def pin_words(plan: Blueprint, one: Annotation) -> str:
    """ "handler #12", "The eventfd counts, journey #12", "driver → eventfd"."""
    match one.pin:
        case EventPin(_, kind, number):
            at = f"{kind_name(kind)} #{grouped(number)}"
        case StagePin(number, _, stage):
            known = load_anatomy().stages.get(stage)
            title = known.title if known else stage
            at = tr("{stage}, journey #{number}", stage=title, number=grouped(number))
        case PartPin(part):
            at = part_title(plan, part)
    return f"{at} → {part_title(plan, one.to)}" if one.kind is AnnotationKind.ARROW else at


def noted_words(model: LiveModel) -> str:
    """What the annotations say that belong to the moment shown; "" if none says anything."""
    texts = [text for index in annotations_seen(model) if (text := model.annotations.all[index].text)]
    return tr("Noted: {texts}", texts=" · ".join(texts)) if texts else ""


def moment_words(model: LiveModel, one: Annotation) -> str:
    """When it is shown: so long after the start of the run, or always."""
    if one.tsc is None:
        return tr("always")
    return duration(model.clock.ns(one.tsc - model.started_at)) if model.started_at else "–"
