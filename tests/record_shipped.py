"""Makes assets/recordings/roundtrip.arrow anew, on a host with KVM: python -m tests.record_shipped

It is what people see who have no KVM, so it shows what they cannot try: both switches are turned while the guest runs.
"""

from __future__ import annotations

import time

from bellwire.engine.live.session import Session
from bellwire.engine.recordings.header import Header
from bellwire.engine.recordings.recorder import Recorder
from bellwire.engine.scenarios.scenario import load_scenario
from bellwire.engine.source import Order
from bellwire.viz.cli.opening import SHIPPED
from bellwire.viz.style.assets import asset
from bellwire.viz.text.versions import program_version

SECONDS = 2.5  # with each wiring
WIRINGS = ((True, True), (False, True), (True, False), (False, False), (True, True))  # ioeventfd, irqfd
PACE = {"pace": "1000"}


def main() -> None:
    """A real run, as it happens."""
    path = asset(SHIPPED)
    path.parent.mkdir(exist_ok=True)
    session = Session(load_scenario("roundtrip").with_settings(PACE))
    with session, Recorder(path, Header.of(session, program_version()), compression="zstd") as recorder:
        for ioeventfd, irqfd in WIRINGS:
            session.order(Order.IOEVENTFD, ioeventfd)
            session.order(Order.IRQFD, irqfd)
            time.sleep(SECONDS)
            recorder.append(session.take())
        session.stop()
        recorder.append(session.take())
    print(f"{path}: {recorder.events} events, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
