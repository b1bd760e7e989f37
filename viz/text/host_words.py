"""The host on which something was measured, in words: its CPU, its Linux, its KVM."""

from __future__ import annotations

from collections.abc import Mapping

from bellwire.engine.language import tr


def machine_words(host: Mapping[str, str], backend: str) -> str:
    """As a part of a sentence; what a recording does not tell is unknown."""
    unknown = tr("unknown")
    return f"{host.get('cpu', unknown)}, Linux {host.get('kernel', unknown)}, {backend}"


def host_line(host: Mapping[str, str], backend: str) -> str:
    """As a line of its own, with how many CPUs there are."""
    return f"{host.get('cpu')}, {host.get('cpus')} CPUs · Linux {host.get('kernel')} · {backend}"
