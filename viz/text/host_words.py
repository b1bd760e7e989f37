"""The host on which something was measured, in words: its CPU, its Linux, its KVM."""

from __future__ import annotations

from collections.abc import Mapping

from bellwire.engine.language import Untold, tr


def told_of_host(host: Mapping[str, str]) -> dict[str, str]:
    """What is told of it: all, or without what somebody wants left out."""
    untold = {"cpu", "cpus", "kernel"} if "host" in Untold.facts else {"cpu"} & Untold.facts
    return {name: value for name, value in host.items() if name not in untold}


def machine_words(host: Mapping[str, str], backend: str) -> str:
    """As a part of a sentence; what a recording does not tell is unknown."""
    unknown, host = tr("unknown"), told_of_host(host)
    return f"{host.get('cpu', unknown)}, Linux {host.get('kernel', unknown)}, {backend}"


def host_line(host: Mapping[str, str], backend: str) -> str:
    """As a line of its own, with how many CPUs there are."""
    host = told_of_host(host)
    return f"{host.get('cpu')}, {host.get('cpus')} CPUs · Linux {host.get('kernel')} · {backend}"
