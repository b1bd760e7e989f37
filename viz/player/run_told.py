"""A run as a page carries it: each stage of each journey and each event as a moment, painted and said by the window's
own views, and what of the recording that is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from bellwire.engine.events import Events
from bellwire.engine.folds.journeys import Journeys
from bellwire.engine.foreign import shown
from bellwire.engine.language import tr
from bellwire.viz.diagram.journey_words import journey_figures
from bellwire.viz.model.live import LiveModel, shown_latency
from bellwire.viz.model.moments.telling import (
    Teller,
    number_of_journey,
    stopwatch_reason,
    stopwatch_words,
    story_title,
    tell_journey,
)
from bellwire.viz.player.asked import LARGEST, left_out_words
from bellwire.viz.player.page import Table
from bellwire.viz.player.part import CarriedPart, events_in
from bellwire.viz.player.stills import Stills
from bellwire.viz.stages.story import STAGE_SECONDS
from bellwire.viz.text.event_words import Wording, lane_name
from bellwire.viz.text.figures import duration, grouped, spent
from bellwire.viz.text.host_words import machine_words
from bellwire.viz.window.story.bar import WHERE
from bellwire.viz.wires.as_shipped import purpose_words

Look = Callable[[float], None]  # called now and then, with how much is done, 0..1


class RunTeller:
    """Goes through a part of a run, moment by moment."""

    def __init__(
        self, model: LiveModel, part: CarriedPart, stills: Stills, look: Look, before: Sequence[Table] = ()
    ) -> None:
        """before: moments that come first."""
        self.model, self.part, self.stills, self._look = model, part, stills, look
        self.moments: list[Table] = [*before]
        self.journeys: list[Table] = []

    def tell(self) -> Table:
        """All of it."""
        for number in range(self.part.journeys.size):
            self._look(0.8 * number / self.part.journeys.size)
            if self.stills.shared.size > LARGEST:
                self.part = self.part.without(number)
                break
            self._tell_journey(self.part.journeys[number : number + 1])
        for number in range(self.part.events.size):
            self._look(0.8 + 0.2 * number / self.part.events.size)
            self.moments.append(self._event(self.part.events[number : number + 1]))
        if not self.moments:  # nothing happened in it
            self.moments.append(live_moment(self.model) | self.stills.take())
        self._look(1.0)
        return {
            "moments": self.moments,
            "journeys": self.journeys,
            "views": self.stills.views,
            "panel": self.stills.panel_words,
        }

    def _time(self, tsc: int) -> float:
        """Nanoseconds since the part began."""
        return round(self.model.clock.ns(tsc - self.part.start), 1)

    def _tell_journey(self, journey: Journeys) -> None:
        if not tell_journey(self.model, journey, Teller.CHOSEN, STAGE_SECONDS) or self.model.story is None:
            return
        self.model.story.which = ""
        first = len(self.moments)
        self.moments += self._stages()
        self.journeys.append(
            {
                "title": story_title(self.model.story),
                "name": self._short(journey),
                "figures": journey_figures(self.model, journey),
                "first": first,
                "last": len(self.moments) - 1,
            }
        )
        self.model.story = None

    def _short(self, journey: Journeys) -> str:
        """ "#48 213, 52.9 µs", as in a list."""
        number = grouped(number_of_journey(journey))
        length = shown_latency(self.model, journey, self.model.whole_latency)
        return f"#{number}" if length is None else f"#{number}, {duration(length)}"

    def _stages(self) -> Iterator[Table]:
        model, story = self.model, self.model.story
        assert story is not None
        figures = journey_figures(model, story.whole.journey)
        for step in range(len(story.steps)):
            story.step, story.told, story.paused = step, 0.0, True
            model.tell(story)
            here, wait = story.standpoint.here, story.waits[step]
            waited = tr("after {time}", time=spent(model.clock, wait))
            yield {
                "kind": "stage",
                "t": self._time(model.playhead),
                "journey": len(self.journeys),
                "out": here.out,
                "title": here.stage.title,
                "where": tr(WHERE[here.stage.place], step=step + 1, steps=len(story.steps)),
                "clock": stopwatch_words(model, story),
                "how": stopwatch_reason(model, story),
                "wait": waited if wait else "",
                **self._still(figures),
            }

    def _still(self, figures: str) -> Table:
        """What is painted and said; the journey's figures, where there was room for them, are told beside."""
        still = self.stills.take()
        return still | {"said": still["said"].removesuffix(figures).strip()}

    def _event(self, event: Events) -> Table:
        model, tsc = self.model, int(event["tsc"][0])
        model.steps.to_event(event)
        return {
            "kind": "event",
            "t": self._time(tsc),
            "title": Wording(model.scenario).text(event[0]),
            "where": lane_name(int(event["lane"][0])),
            "clock": duration(model.clock.ns(tsc - self.part.start)),
            "how": tr("since this part began"),
            "wait": "",
            "busy": bool(model.under_way().size),
            **self.stills.take(),
        }


def live_moment(model: LiveModel) -> Table:
    """The words of a moment that is shown as it was seen while the guest ran."""
    title = shown(tr(model.scenario.title))
    return {"kind": "live", "t": -1, "title": tr("As it runs"), "where": title, "clock": "", "how": "", "wait": ""}


def about_run(model: LiveModel, part: CarriedPart) -> Table:
    """What the page is of."""
    source, recorded = model.source, model.recorded
    assert recorded is not None
    recording, clock = recorded.recording, model.clock
    whole = duration(clock.ns(recording.last - recording.first))
    across, begins = duration(clock.ns(part.end - part.start)), duration(clock.ns(part.start - recording.first))
    return {
        "title": shown(tr(source.scenario.title)),
        "purpose": shown(purpose_words(source.scenario, model.plugged.between(part.start, part.end))),
        "machine": shown(machine_words(source.host, source.backend)),
        "left_out": left_out_words(part.journeys.size, part.events.size, events_in(recording), across, begins, whole),
        "recorded": recording.header.started[:10],
        "warning": shown(recording.warning),
    }
