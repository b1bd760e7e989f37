"""What `bellwire doctor` says: every check of this host, and the command that mends what is missing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from bellwire.engine.host.checks import host_checks
from bellwire.engine.host.host import Check, host_facts
from bellwire.engine.kernel.checks import kernel_checks
from bellwire.viz.cli.display import qt_checks
from bellwire.viz.cli.tables import Figures
from bellwire.viz.text.host_words import host_line
from bellwire.viz.text.versions import distribution, program_version


def all_checks() -> list[Check]:
    """Of the host, of a guest's clock where one can run, of the inside of its kernel, and of Qt's libraries."""
    found = host_checks()
    if all(check.ok for check in found if check.needed):
        from bellwire.engine.live.clock_check import guest_clock_check
        from bellwire.engine.live.trials import scenario_checks, tried

        found = [*tried(found), guest_clock_check(), *scenario_checks()]
    return [*found, *kernel_checks(), *qt_checks()]


def exit_code(checks: Sequence[Check]) -> int:
    """3 without a usable KVM, 1 if anything else is missing, 0 if all is well."""
    failed = [check for check in checks if not check.ok and not check.optional]
    if any(check.needed for check in failed):
        return 3
    return 1 if failed else 0


def doctor_report(checks: Sequence[Check]) -> dict[str, Any]:
    """The JSON object of `bellwire doctor --json`."""
    verdict = {0: "fit", 1: "something is missing", 3: "no usable KVM"}[exit_code(checks)]
    return {
        "verdict": verdict,
        "host": {**host_facts(), **program_versions()},
        "checks": [asdict(check) for check in checks],
    }


def program_versions() -> dict[str, str]:
    """Versions of the program and of what it runs on."""
    return {"bellwire": program_version(), "python": sys.version.split()[0], "qt": distribution("PySide6-Essentials")}


def checks_table(checks: Sequence[Check]) -> RenderableType:
    """The checks, then what mends what is missing and brings what is off, then the verdict."""
    rows = Figures()
    for column in ("", "Topic", "Check", "Found"):
        rows.add_column(column, overflow="fold")
    for check in checks:
        rows.add_row(mark(check), check.topic, check.name, check.found)
    wrong = [check for check in checks if not check.ok and not check.optional]
    off = [check for check in checks if not check.ok and check.optional]
    parts = [*remedies("\nTo mend it:", wrong), *remedies("\nTo see more:", off)]
    return Group(facts(), rows, *parts, verdict(exit_code(checks), all(check.known for check in checks), bool(off)))


def remedies(heading: str, checks: Sequence[Check]) -> list[Text]:
    """A heading and a line for each; nothing for none."""
    lines = [Text(f"{check.topic} {check.name}: {check.remedy}") for check in checks]
    return [Text(heading, style="bold"), *lines] if lines else []


def mark(check: Check) -> Text:
    """A word as well as a colour."""
    if not check.known:
        return Text("unknown", style="dim")
    if check.ok:
        return Text("ok", style="green")
    if check.optional:
        return Text("off", style="dim")
    return Text("MISSING", style="bold red") if check.needed else Text("missing", style="yellow")


def facts() -> Text:
    """The host in one line."""
    host, own = host_facts(), program_versions()
    line = host_line(host, host["backend"])
    return Text(f"{line}\nbellwire {own['bellwire']} · Python {own['python']} · Qt {own['qt']}\n")


def verdict(code: int, known: bool = True, off: bool = False) -> Text:
    """The end of the matter. known: whether everything could be looked at. off: whether it could be shown more."""
    everything = ", though it could be shown more." if off else ": bellwire can do everything here."
    texts = {
        0: "\nAll is well" + (everything if known else ", as far as it is known."),
        1: "\nGuests run here, but not everything works.",
        3: "\nNo guest can run here; bellwire can still show recordings.",
    }
    return Text(texts[code], style="bold")
