"""A scenario's calls as the window shows them: as the switches stand, and which of them a part of the picture means."""

from __future__ import annotations

from dataclasses import dataclass

from bellwire.engine.calls.call import Call
from bellwire.engine.calls.of_scenario import calls_of
from bellwire.engine.calls.wire_state import WireState
from bellwire.engine.events import Switch
from bellwire.engine.language import kept_while_spoken, tr
from bellwire.engine.scenarios.scenario import Scenario
from bellwire.viz.diagram.blueprint import Part, blueprint_of, call_of
from bellwire.viz.model.live import LiveModel
from bellwire.viz.stages.anatomy import load_anatomy
from bellwire.viz.stages.mark import StageMark
from bellwire.viz.stages.standpoint import Standpoint
from bellwire.viz.stages.way import Stop


@dataclass(frozen=True)
class Calls:
    """All calls, in order, and the names of those that a switch has changed since the scenario began."""

    calls: tuple[Call, ...]
    changed: frozenset[str]

    def named(self, name: str) -> Call | None:
        """The call of this name."""
        return next((call for call in self.calls if call.name == name), None)

    def family(self, word: str) -> list[Call]:
        """The calls of a kind: "irqfd", or "irqfd-1", "irqfd-2" ..."""
        return [call for call in self.calls if call.name == word or call.name.startswith(f"{word}-")] if word else []


def calls_now(model: LiveModel) -> Calls:
    """As the newest event leaves the wires."""
    ioeventfd, irqfd = (model.tally.wiring.get(switch) for switch in (Switch.IOEVENTFD, Switch.IRQFD))
    return calls_in(model.scenario, ioeventfd, irqfd, wire_state_of(model))


def wire_state_of(model: LiveModel) -> WireState:
    """The rest of it. Changes of the route by the clock are calls of their own."""
    wires, interrupt = model.wires, model.scenario.interrupt
    if interrupt is None or interrupt.reroute_ms:
        return WireState(wires.once, wires.doorbell)
    return WireState(wires.once, wires.doorbell, wires.vector, wires.vcpu)


@kept_while_spoken(8)
def calls_in(
    scenario: Scenario, ioeventfd: bool | None, irqfd: bool | None, standing: WireState | None = None
) -> Calls:
    """None: nothing is known of this switch yet, so it stands as at the start."""
    known = {Switch.IOEVENTFD: ioeventfd, Switch.IRQFD: irqfd}
    began = {call.name: what_changes(call) for call in calls_of(scenario)}
    calls = calls_of(scenario, {switch: on for switch, on in known.items() if on is not None}, standing)
    return Calls(calls, frozenset(call.name for call in calls if began.get(call.name) != what_changes(call)))


def what_changes(call: Call) -> tuple[str, bytes]:
    """How its switch stands, and what the kernel gets."""
    return call.state, call.arguments.data if call.arguments else b""


def part_pictured(model: LiveModel, name: str) -> Part | None:
    """The part of that name in the simple picture, or else in the one with the kernel's parts."""
    scenario, backend = model.scenario, model.source.backend
    return blueprint_of(scenario, backend).part(name) or blueprint_of(scenario, backend, extended=True).part(name)


def word_of(found: Part | None, scenario: Scenario) -> str:
    """The kind of call that a part of the diagram stands for; "" if none."""
    if found is None:
        return ""
    return call_of(found, scenario) or word_of_stage(found.stage, scenario)


def word_of_stage(name: str, scenario: Scenario) -> str:
    """The kind of call behind a stage; "" if none."""
    stage = load_anatomy().stages.get(name)
    if stage is None:
        return ""
    return scenario.interrupt.ioctl if stage.call == "ioctl" and scenario.interrupt else stage.call


def call_behind(model: LiveModel, calls: Calls, point: Standpoint, stop: Stop) -> Call | None:
    """The call behind a stop of a journey; of several, that of the doorbell or the irqfd that it used."""
    family = calls.family(word_of_stage(stop.name, model.scenario))
    route = model.travel.ways.routes(point.journey, point.moments)[0][0]
    lane = route.out if stop.out else route.back
    return family[lane if lane < len(family) else 0] if family else None


def call_at(model: LiveModel, calls: Calls, part: str) -> Call | None:
    """The call that a part of the diagram stands for; of several, that of its lane."""
    found = part_pictured(model, part)
    family, lane = calls.family(word_of(found, model.scenario)), found.lane if found else 0
    return family[lane if lane < len(family) else 0] if family else None


def part_of(model: LiveModel, calls: Calls, call: Call) -> str:
    """The first part of the diagram that stands for a call; "" if none does."""
    plan = blueprint_of(model.scenario, model.source.backend)
    names = [name for table in (plan.wires, plan.counters, plan.nodes) for name in table]
    exact = [name for name in names if call_at(model, calls, name) == call]
    akin = [name for name in names if call in calls.family(word_of(plan.part(name), model.scenario))]
    return (exact or akin or [""])[0]


def kernel_stage(model: LiveModel, part: str) -> str:
    """The stage of the kernel that a part of the diagram stands for; "" if none."""
    found = part_pictured(model, part)
    return found.stage if found else ""


def stage_and_call(model: LiveModel, calls: Calls, mark: StageMark) -> str:
    """The stage that has begun and the call behind it, then the calls of those that the signal may have reached."""
    first, *others = mark.stops
    behind = call_behind(model, calls, mark.point, first)
    found = [call_behind(model, calls, mark.point, stop) for stop in others]
    further = ", ".join(dict.fromkeys(tr(call.title) for call in found if call and call != behind))
    stage = first.stage.title
    if behind is None:
        told = tr("“{stage}”: behind this stage is no call.", stage=stage)
    else:
        told = tr("“{stage}”: {call}.", stage=stage, call=tr(behind.title))
    return f"{told} {tr('Perhaps by now: {calls}.', calls=further)}" if further else told
