"""What the kernel does at each stage of a signal's way (assets/anatomy.toml), and which ways a scenario has."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Literal

from bellwire.engine.events import Switch
from bellwire.engine.language import kept_while_spoken, tr, tr_table
from bellwire.engine.scenarios.scenario import Doorbell, Interrupt, Scenario
from bellwire.engine.scenarios.traits import Trait, Traits
from bellwire.engine.scenarios.traits_of import traits_of
from bellwire.viz.text.assets import ANATOMY_TEXTS, asset


@dataclass(frozen=True)
class Stage:
    """One place on the way. function, file: of the kernel; "" where it takes no part.

    place: who holds the signal. within: the stage whose part of a picture it shares, where it has none. call: the kind
    of call behind it, "" if it is none. began: the stamp of its beginning, "" if none is taken. traced: the stamp that
    the kernel takes of it while its tracepoints are listened to, "" if none. skipped: the back ends that do without it,
    some with the last Linux in which they do: "kvm_amd 6.18". injected: the back ends that pass it as they inject, so
    before the handler. then: the stages that follow it where the kernel tells when the last of them began.
    """

    name: str
    title: str
    text: str
    place: Literal["guest", "kernel", "user space", "other process"]
    within: str = ""
    call: str = ""
    began: str = ""
    traced: str = ""
    function: str = ""
    file: str = ""
    skipped: tuple[str, ...] = ()
    injected: tuple[str, ...] = ()
    then: tuple[str, ...] = ()

    def left_out(self, backend: str, kernel: str) -> str:
        """Why it is none of this host's, "kvm_amd up to Linux 6.18"; "" if it is. kernel: its release, "6.18.44-1"."""
        for name, _, last in (word.partition(" ") for word in self.skipped):
            if name == backend and (not last or not newer(kernel, last)):
                return tr("{back_end} up to Linux {version}", back_end=name, version=last) if last else name
        return ""


def newer(kernel: str, than: str) -> bool:
    """Whether a kernel's release is newer than "6.18"; an unknown one is not."""
    numbers = [tuple(map(int, re.findall(r"\d+", text)[:2])) for text in (kernel, than)]
    return numbers[0] > numbers[1]


@dataclass(frozen=True)
class Path:
    """A way through the kernel. once: what was done before the first signal went it; beside: what others do meanwhile.

    by: the stamps at which a stage had begun, by the stage's name; the first that there is counts. after: the stamp
    before which it had not. began: the stamp of its beginning on this way, where it is not the usual one. commit,
    subject: what first brought it into Linux; "" if it is older than these.
    """

    name: str
    title: str
    stages: tuple[Stage, ...]
    once: tuple[Stage, ...] = ()
    beside: tuple[Stage, ...] = ()
    by: dict[str, tuple[str, ...]] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)
    began: dict[str, str] = field(default_factory=dict)
    commit: str = ""
    subject: str = ""


@dataclass(frozen=True)
class Anatomy:
    """Everything by name."""

    stages: dict[str, Stage]
    paths: dict[str, Path]
    bounds: dict[str, str]  # why a stage had begun by a stamp, as a clause


LISTS = ("stages", "once", "beside")  # of stages, in a path
NAMES = ("skipped", "injected", "then")  # lists of back ends, or of stages, in a stage


@kept_while_spoken()
def load_anatomy() -> Anatomy:
    """The one that is shipped."""
    data = tr_table(tomllib.loads(asset("anatomy.toml").read_text(encoding="utf-8")), ANATOMY_TEXTS)
    stages = {
        name: Stage(name, **table | {key: tuple(table.get(key, ())) for key in NAMES})
        for name, table in data["stage"].items()
    }
    paths = {
        name: Path(name, **table | {key: tuple(stages[stage] for stage in table.get(key, ())) for key in LISTS})
        for name, table in data["path"].items()
    }
    return Anatomy(stages, paths, {name: table["rule"] for name, table in data["bound"].items()})


def paths_of(scenario: Scenario, wired: Callable[[Switch], bool]) -> tuple[Path, ...]:
    """The ways that signals take while the switches stand so: the doorbell's, then the interrupt's."""
    paths, traits, found = load_anatomy().paths, traits_of(scenario), []
    if scenario.doorbell:
        if Trait.VMM_EXITS in traits:
            doorbell = paths["exit-to-vmm"]
        else:
            doorbell = paths[doorbell_path(scenario.doorbell, wired(Switch.IOEVENTFD))]
        found.append(without_reader(doorbell) if Trait.DIRECT in traits else doorbell)
    if scenario.interrupt and (name := interrupt_path(traits, scenario.interrupt, wired(Switch.IRQFD))):
        found.append(paths[name])
    return tuple(found)


def as_injected(path: Path, backend: str) -> Path:
    """The path in the order of a back end that passes some stages as it injects, so before the handler."""
    early = [stage for stage in path.stages if backend in stage.injected]
    late = [stage for stage in path.stages if backend not in stage.injected]
    at = next((i for i, stage in enumerate(late) if stage.name == "handler"), len(late))
    return replace(path, stages=(*late[:at], *early, *late[at:]))


def told_further(path: Path, told: frozenset[str]) -> Path:
    """The path with what follows some of its stages where the kernel tells of it; told: the names of these stages."""
    stages: list[Stage] = []
    for stage in path.stages:
        stages += [stage, *(load_anatomy().stages[name] for name in stage.then if stage.name in told)]
    return replace(path, stages=tuple(stages))


def followed_stages() -> dict[str, str]:
    """The stages that others follow where the kernel tells of those, with the stamp without which they do not."""
    stages = load_anatomy().stages
    return {name: stages[stage.then[-1]].traced for name, stage in stages.items() if stage.then}


def without_reader(path: Path) -> Path:
    """A doorbell's way as far as the eventfd: no thread of this process reads it."""
    names = [stage.name for stage in path.stages]
    end = names.index("eventfd") + 1 if "eventfd" in names else len(names)
    return replace(path, stages=path.stages[:end])


def doorbell_path(doorbell: Doorbell, assigned: bool) -> str:
    """The name of a doorbell's way."""
    if assigned and doorbell.hit:
        return matched_path(doorbell)
    return on_bus("coalesced" if doorbell.coalesced else "exit", doorbell)


def matched_path(doorbell: Doorbell) -> str:
    """The name of the way of a doorbell that an ioeventfd takes."""
    any_length = doorbell.bus == "mmio" and not doorbell.length
    return "ioeventfd-any-length" if any_length else on_bus("ioeventfd", doorbell)


def on_bus(path: str, doorbell: Doorbell) -> str:
    """The path's name for the doorbell's bus."""
    return f"{path}-mmio" if doorbell.bus == "mmio" else path


def interrupt_path(traits: Traits, interrupt: Interrupt, assigned: bool) -> str:
    """The name of an interrupt's way; "" if there is none: a direct doorbell without its irqfd."""
    masked = "-masked" if interrupt.masked else ""
    if Trait.VMM_EXITS in traits:
        return "msi-by-vmm"
    if Trait.KERNEL_WORKER in traits:
        return "vhost-worker" if assigned else ""
    if Trait.DIRECT in traits:
        return ("partner" if Trait.PARTNERED in traits else "direct") if assigned else ""
    if not assigned:
        return "kept" if interrupt.waits else f"{interrupt.ioctl}{masked}"
    if Trait.IO_URING in traits:
        return "io-uring"
    if interrupt.route == "msi":
        return "irqfd-msi"
    return "irqfd-resample" if interrupt.trigger == "level" else f"irqfd-{masked[1:] or 'ioapic'}"
