"""A machine is described once: nobody else asks for its name, and its scenarios have what it needs."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from bellwire.engine.errors import ScenarioError
from bellwire.engine.scenarios.machine_kinds import LABS, MACHINES, MachineKind, Need, with_vcpu
from bellwire.engine.scenarios.rules import Origin
from bellwire.engine.scenarios.scenario import Scenario, list_scenarios, load_scenario, scenario_of
from bellwire.engine.scenarios.traits import Trait

ROOT = Path(__file__).resolve().parents[3]
SCENARIOS = list_scenarios()
NEEDS = [(kind, need) for kind in MACHINES.values() for need in kind.needs]


def asks_for_a_name(source: str) -> bool:
    """Whether a source reads `machine` of something that is not itself: of a scenario."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)]
    owners = [node.value for node in nodes if node.attr == "machine"]
    return any(not isinstance(owner, ast.Name) or owner.id != "self" for owner in owners)


@pytest.mark.parametrize("side", ["engine", "viz"])
def test_nobody_asks_a_scenario_for_its_machines_name(side: str) -> None:
    assert asks_for_a_name("if self.scenario.machine == 'two-guests': pass")
    assert not asks_for_a_name("if Trait.TWO_GUESTS in traits_of(self.scenario): pass")
    assert [str(path) for path in (ROOT / side).rglob("*.py") if asks_for_a_name(path.read_text())] == []


def test_every_machine_has_a_scenario() -> None:
    assert {scenario.machine_kind for scenario in SCENARIOS} == set(MACHINES.values())


def test_a_description_does_not_contradict_itself() -> None:
    for kind in MACHINES.values():
        assert (Trait.TWO_VCPUS in kind.traits) == (kind.vcpus == 2)
        assert Trait.DIRECT in kind.traits or Trait.PARTNERED not in kind.traits
        assert kind.by or not kind.table, "only with a `by` of its own a table is checked"
        assert {other.table for other in MACHINES.values() if kind.by and other.by == kind.by} <= {kind.table}


def by_another(scenario: Scenario, kind: MachineKind) -> Scenario:
    """The scenario, but of that machine."""
    return scenario_of(scenario.name, scenario.tables() | {"machine": kind.name}, Origin(""))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_no_other_machine_takes_a_scenario_of_one_that_is_signalled_in_its_own_way(scenario: Scenario) -> None:
    for kind in MACHINES.values():
        if kind.by != scenario.machine_kind.by:
            with pytest.raises(ScenarioError, match=r"^machine: .* go(es with|) .*only (with|so)"):
                by_another(scenario, kind)


@pytest.mark.parametrize(("kind", "need"), NEEDS, ids=[f"{kind.name}-{need.key}" for kind, need in NEEDS])
def test_what_a_machine_needs_it_insists_on(kind: MachineKind, need: Need) -> None:
    scenario = next(scenario for scenario in SCENARIOS if scenario.machine_kind is kind)
    tables = scenario.tables()
    assert tables[need.table][need.key] == need.value
    tables[need.table][need.key] = not need.value
    with pytest.raises(ScenarioError, match=f"{need.table}.{need.key}: {need.why}"):
        scenario_of(scenario.name, tables, Origin(""))


def test_a_lab_and_a_split_irqchip_name_the_machines_that_take_them() -> None:
    assert LABS == ("one-guest",)
    with pytest.raises(ScenarioError, match="lab: goes with the machine one-guest only"):
        by_another(load_scenario("lab-masked-edge"), MACHINES["io-uring"])
    with pytest.raises(ScenarioError, match=r"irqchip: .* the machine one-guest and the route msi"):
        by_another(load_scenario("irq-split"), MACHINES["two-vcpus"])


def test_a_second_vcpu_is_that_of_a_machine_that_has_one() -> None:
    assert with_vcpu(1) == "two-vcpus"
    with pytest.raises(ScenarioError, match=r"interrupt\.vcpu: 1 needs the machine two-vcpus"):
        load_scenario("irq-msi").with_settings({"vcpu": "1"})
    assert load_scenario("irq-vcpu").vcpus == 2
