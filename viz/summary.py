"""What a run comes to: as one JSON object, and as tables for a terminal. No Qt here."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from engine.latency import LATENCIES, Latencies
from engine.scenario import Scenario
from engine.scenario_rules import SETTINGS
from engine.source import Source
from engine.tally import Tally

MEANINGS = {
    "doorbell": "guest's store → I/O thread awake",
    "injection": "I/O thread's signal → guest's handler",
    "store_cost": "guest's store → its next instruction",
    "round_trip": "guest's store → guest's handler",
}
DIRECT = {"doorbell": "guest's store → handler of the guest that it rings"}  # where nobody else reads the doorbell
COLUMNS = {"min": "min", "p50": "p50", "p90": "p90", "p99": "p99", "p999": "p99.9", "p9999": "p99.99", "max": "max"}


def report(source: Source, tally: Tally, latencies: Latencies, elapsed_s: float) -> dict[str, Any]:
    """The JSON object of `bellwire run --json`; latencies in ns, the warm-up's `warmup` journeys left out of them."""
    return {
        "scenario": source.scenario.name,
        "settings": settings(source.scenario),
        "host": source.host,
        "elapsed_s": round(elapsed_s, 6),
        "counts": tally.counts(),
        "latency_ns": {name: latencies.histograms[name].summary() for name in LATENCIES},
        "warmup": latencies.warmup,
        "ring": {"recorded": tally.recorded, "dropped": tally.dropped},
    }


def settings(scenario: Scenario) -> dict[str, Any]:
    """Everything that `--set` can change, as it was at the start, but what this scenario has not."""
    tables = scenario.tables()
    return {name: tables[table][key] for name, (table, key) in SETTINGS.items() if key in tables.get(table, {})}


def summary(source: Source, tally: Tally, latencies: Latencies, elapsed_s: float) -> RenderableType:
    """The tables of `bellwire run`."""
    parts: list[RenderableType] = [heading(source, elapsed_s)]
    if source.scenario.doorbell:
        parts.append(doorbells_table(tally))
    if source.scenario.interrupt:
        parts.append(interrupts_table(tally))
    parts += [latency_table(latencies), exits_table(tally)]
    parts.append(Text(losses(tally, latencies), style="bold red" if tally.dropped else ""))
    return Group(*(part for each in parts for part in (each, "")))


def heading(source: Source, elapsed_s: float) -> Text:
    """What was measured, and where."""
    host = source.host
    where = f"{host.get('cpu')}, {host.get('cpus')} CPUs · Linux {host.get('kernel')} · {source.backend}"
    label = "" if source.label == "LIVE" else f"{source.label} · "
    title = Text(source.scenario.title, style="bold")
    return title.append(f"\n{label}{source.scenario.name} · {elapsed_s:.2f} s · {where}", style="not bold")


def table_of(name: str, numbers: list[str], style: str = "", text: str | None = None) -> Table:
    """A table whose first column, or two, are text (headed `name`, `text`) and whose others are numbers."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="dim")
    table.add_column(Text(name, style=f"not dim bold {style}"), no_wrap=True, min_width=12)
    if text is not None:
        table.add_column(text)
    for column in numbers:
        table.add_column(column, justify="right", no_wrap=True, min_width=6)
    return table


def doorbells_table(tally: Tally) -> Table:
    """From guest to host, or to a guest: rung = received + pending."""
    table = table_of("Doorbells", ["rung", "received", "pending", "reads of the eventfd"], "yellow")
    numbers = (tally.doorbells_rung, tally.doorbells_received, tally.doorbells_pending, tally.eventfd_reads)
    table.add_row("guest → guest" if tally.direct else "guest → host", *map(grouped, numbers))
    return table


def interrupts_table(tally: Tally) -> Table:
    """From host, or a guest, to guest: signalled = handled - spurious + merged + lost + pending."""
    numbers = {
        "signalled": tally.irqs_signalled,
        "handled": tally.irqs_handled,
        "merged": tally.irqs_merged,
        "pending": tally.irqs_pending,
    }
    rare = {"spurious": tally.irqs_spurious, "lost": tally.irqs_lost}
    numbers |= {name: count for name, count in rare.items() if count}
    table = table_of("Interrupts", list(numbers), "cyan")
    table.add_row("guest → guest" if tally.direct else "host → guest", *map(grouped, numbers.values()))
    return table


def latency_table(latencies: Latencies) -> RenderableType:
    """Percentiles of every latency that this scenario has, in µs, and what each one is."""
    table, legend = table_of("Latency, µs", [*COLUMNS.values(), "count"]), []
    meanings = MEANINGS | (DIRECT if latencies.tracker.direct else {})
    for name in LATENCIES:
        values = latencies.histograms[name].summary()
        if values["count"]:
            numbers = (f"{values[key] / 1000:,.{1 if values[key] < 1e6 else 0}f}" for key in COLUMNS)
            table.add_row(name.replace("_", " "), *numbers, grouped(values["count"]))
            legend.append(f"{name.replace('_', ' '):12}   {meanings[name]}")
    return Group(table, Text("\n".join(legend), style="dim"))


def exits_table(tally: Tally) -> Table:
    """Exits by who counted them: this program, which saw KVM_RUN return, and KVM itself."""
    table = table_of("Counted by", ["times"], text="what")
    for reason, count in sorted(tally.exits_to_userspace.items()):
        table.add_row("bellwire", f"KVM_RUN returned: {reason}", grouped(count))
    for name, count in tally.kvm.items():
        table.add_row("KVM", name, grouped(count))
    return table


def losses(tally: Tally, latencies: Latencies) -> str:
    """What is in no figure."""
    return (
        f"{grouped(tally.recorded)} events recorded, {grouped(tally.dropped)} dropped; "
        f"the latencies leave out {grouped(latencies.warmup)} journeys of warm-up."
    )


def grouped(number: int) -> str:
    """1204311 as 1,204,311."""
    return f"{number:,}"
