"""The host on which something was measured, in words: its CPU, its Linux, its KVM."""

from __future__ import annotations

from collections.abc import Mapping

from bellwire.engine.host.host import emulated
from bellwire.engine.language import Untold, tr


def told_of_host(host: Mapping[str, str]) -> dict[str, str]:
    """What is told of it: all, or without what somebody wants left out."""
    untold = {"cpu", "cpus", "kernel"} if "host" in Untold.facts else {"cpu"} & Untold.facts
    return {name: value for name, value in host.items() if name not in untold}


def back_end_words(backend: str, host: Mapping[str, str]) -> str:
    """Which KVM it was, and that an emulated CPU ran it, if one did."""
    return tr("{backend} (TCG): times mean nothing", backend=backend) if emulated(host) else backend


def machine_words(host: Mapping[str, str], backend: str) -> str:
    """As a part of a sentence; what a recording does not tell is unknown."""
    unknown, untold = tr("unknown"), host.keys() - told_of_host(host).keys()
    cpu, kernel = host.get("cpu", unknown), host.get("kernel", unknown)
    parts = {"cpu": cpu, "kernel": f"Linux {kernel}", "backend": back_end_words(backend, host)}
    return ", ".join(part for name, part in parts.items() if name not in untold)


def host_line(host: Mapping[str, str], backend: str) -> str:
    """As a line of its own, with how many CPUs there are."""
    told = told_of_host(host)
    cpus = f"{told['cpus']} CPUs" if "cpus" in told else ""
    kernel = f"Linux {told['kernel']}" if "kernel" in told else ""
    return " · ".join(
        filter(None, (", ".join(filter(None, (told.get("cpu"), cpus))), kernel, back_end_words(backend, host)))
    )
