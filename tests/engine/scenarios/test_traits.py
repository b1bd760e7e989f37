"""Traits: what pictures and code ask for is one, and each is asked for."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

ROOT = Path(__file__).resolve().parents[3]
PICTURES = sorted((ROOT / "assets" / "diagrams").glob("*.toml"))
SOURCES = [path for side in ("engine", "viz") for path in sorted((ROOT / side).rglob("*.py"))]
DEFINED = [ROOT / "engine" / "scenarios" / name for name in ("machines.py", "traits.py")]


def asked_by(table: dict[str, Any], keys: tuple[str, ...]) -> Iterator[str]:
    """What a picture's table and those in it name under these keys, without the "!" of what must not be."""
    for key, value in table.items():
        if key in keys:
            yield from (name.removeprefix("!") for name in value)
        elif isinstance(value, dict):
            yield from asked_by(value, keys)


def asked(picture: Path, *keys: str) -> set[str]:
    """All that a picture names under them."""
    return set(asked_by(tomllib.loads(picture.read_text()), keys))


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_what_a_picture_asks_for_is_a_trait(picture: Path) -> None:
    assert asked(picture, "needs") <= set(Trait)


def test_every_trait_is_asked_for() -> None:
    pictures = set().union(*(asked(picture, "needs", "depends") for picture in PICTURES))
    text = "".join(path.read_text() for path in SOURCES if path not in DEFINED)
    code = {Trait[name] for name in re.findall(r"\bTrait\.([A-Z_]+)", text)}
    assert {trait for trait in Trait if trait not in pictures | code} == set()


@pytest.mark.parametrize(
    ("scenario", "traits"),
    [
        ("doorbell-pio", {Trait.DOORBELL}),
        ("doorbell-data-miss", {Trait.DOORBELL, Trait.MISS}),
        ("lab-wrong-length", {Trait.DOORBELL, Trait.MENDED}),
        ("irq-msi", {Trait.INTERRUPT, Trait.MSI, Trait.SIGNAL_MSI}),
        ("irq-masked", {Trait.INTERRUPT, Trait.IOAPIC, Trait.MASKED}),
        ("irq-level-resample", {Trait.INTERRUPT, Trait.IOAPIC, Trait.LEVEL, Trait.RESAMPLE}),
        ("irq-line-level", {Trait.INTERRUPT, Trait.IOAPIC, Trait.LEVEL, Trait.ACKNOWLEDGED}),
        ("roundtrip", {Trait.ROUND_TRIP, Trait.ANSWERED}),
        ("two-vcpus-doorbell", {Trait.TWO_VCPUS}),
        ("vm-to-vm", {Trait.ROUND_TRIP, Trait.DIRECT, Trait.TWO_GUESTS}),
        ("vhost-user-blk", {Trait.ROUND_TRIP, Trait.DIRECT, Trait.PARTNERED}),
        ("io-uring", {Trait.ROUND_TRIP, Trait.ANSWERED, Trait.IO_URING}),
        ("virtqueue", {Trait.ROUND_TRIP, Trait.VIRTQUEUE}),
    ],
)
def test_what_is_true_of_a_scenario(scenario: str, traits: set[Trait]) -> None:
    apart = {*traits, Trait.MISS, Trait.DIRECT, Trait.ANSWERED, Trait.MASKED, Trait.LEVEL, Trait.TWO_VCPUS}
    assert traits_of(load_scenario(scenario)) & apart == traits


@pytest.mark.parametrize(("backend", "first"), [("kvm_intel", True), ("kvm_pvm", False), ("", False)])
def test_the_back_end_decides_on_the_fast_mmio_bus(backend: str, first: bool) -> None:
    assert (Trait.FAST_MMIO in traits_of(load_scenario("doorbell-mmio-any"), backend)) is first
    assert Trait.FAST_MMIO not in traits_of(load_scenario("doorbell-mmio"), backend)
