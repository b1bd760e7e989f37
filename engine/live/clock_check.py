"""Guest's clock and host's, looked at by running a guest for a moment: for `bellwire doctor`."""

from __future__ import annotations

import time

from bellwire.engine.errors import EngineError
from bellwire.engine.folds.clock_error import AGREE_NS, Agreement, ClockError
from bellwire.engine.folds.latency import Latencies
from bellwire.engine.host.host import Check
from bellwire.engine.language import MINUS
from bellwire.engine.live.session import Session
from bellwire.engine.scenarios.scenario import load_scenario

JOURNEYS = 300
SECONDS = 2.0
UNSYNCHRONIZED = (
    "one-way latencies cannot be trusted here, round trips can; a kernel of 5.16 or later sets the offset to 0"
)

TOO_BUSY = "try again while the machine has less to do"
CONTRADICTION = "the journeys contradict the offset that KVM gives: one-way latencies can be trusted, its word cannot"


def guest_clock_check() -> Check:
    """Whether both read the same time, as far as journeys can tell, and what KVM says of it; needs a usable KVM."""
    name = "guest's TSC"
    try:
        error, host = measured_clock_error()
    except EngineError as trouble:
        return Check("clock", name, False, "no guest could be started", str(trouble), needed=True)
    least, most = (None if ns is None else ns / 1000 for ns in error.ns)
    if least is None or most is None:
        return Check(
            "clock", name, False, "could not be measured", f"no journey arrived within {SECONDS:g} s: try again"
        )
    offset = host.get("tsc_offset")
    word = "no word on the offset" if offset is None else f"offset {offset} cycles"
    found = f"ahead of the host's by {least:+.2f} to {most:+.2f} µs; KVM: {word}, {host['tsc_khz']} kHz"
    remedy = what_is_wrong(error, None if offset is None else int(offset))
    return Check("clock", name, not remedy, found.replace("-", MINUS), remedy)


def what_is_wrong(error: ClockError, offset: int | None) -> str:
    """What the bounds say against the clocks, and against the kernel's word; "" if nothing."""
    if error.agreement is Agreement.APART:
        many = f"{error.contradicted} of {error.journeys} journeys arrive before they were sent"
        return f"{many}: {UNSYNCHRONIZED}"
    if error.agreement is Agreement.UNKNOWN:
        return f"bounds within {AGREE_NS / 1000:g} µs of 0 would say that they agree: {TOO_BUSY}"
    return CONTRADICTION if error.contradicts(offset) else ""


def measured_clock_error() -> tuple[ClockError, dict[str, str]]:
    """Bounds from the journeys of a short run, and what the session says of its host. EngineError if none can run."""
    session = Session(load_scenario("roundtrip"), limit=JOURNEYS)
    with session:
        latencies, until = Latencies(session.scenario, session.clock, session.backend), time.monotonic() + SECONDS
        while session.alive and latencies.clock_error.journeys < JOURNEYS and time.monotonic() < until:
            time.sleep(0.01)
            latencies.feed(session.take())
    if session.error:
        raise session.error
    return latencies.clock_error, session.host
