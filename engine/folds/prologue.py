"""How a stream opens that begins in the middle of a run: with the events that say how things stood.

A recording can be begun while the guest runs, and the history forgets what is oldest. So a stream that begins in the
middle opens with a prologue: the wiring, the settings, the eventfds' counts, and BEFORE events with the newest numbers
until then (beginning.py). What was under way at that moment, rung but not received, signalled but not handled, belongs
to it.
"""

from __future__ import annotations

import numpy as np

from bellwire.engine.events import HAPPENED, STATS, EventKind, Events, Lane, Setting, Switch, event, no_events
from bellwire.engine.folds.beginning import Before
from bellwire.engine.folds.tally import Tally


def prologue(tally: Tally, tsc: int) -> Events:
    """The events that a stream opens with at `tsc`; tally: of all events until then. None if there were none."""
    before, began = tally.began, []

    def say(which: Before, number: int, arg: int = 0) -> None:
        if number:
            began.append(event(tsc, EventKind.BEFORE, Lane.ENGINE, which, number, arg))

    # The guest's stamps can come after what they caused: who was received was rung.
    rung = max(tally.doorbells_rung, tally.doorbells_received)
    say(Before.RUNG, max(rung + before.doorbells, before.rung))
    signalled = max(tally.irqs_signalled + before.covered, before.signalled)
    say(Before.SIGNALLED, signalled)
    # No handler will ever run for what was lost at a masked pin: it is over.
    over = tally.settings.get(Setting.MASKED) or not tally.irqs_pending
    say(Before.COVERED, signalled if over else tally.irqs_covered + before.covered)
    say(Before.BUFFERS_ADDED, tally.buffers_added + before.buffers_used)
    say(Before.BUFFERS_USED, tally.buffers_used + before.buffers_used)
    received = {0: tally.irqs_covered} if tally.direct else tally.received_from  # direct: the handler receives them
    for queue in {**before.received, **received}:
        say(Before.RECEIVED, received.get(queue, 0) + before.received.get(queue, 0), queue)
    for index in range(len(STATS)):
        say(Before.STAT, tally.counter(index), index)
    for setting, value in tally.settings.items():  # first: how the wires are registered follows from the lab's steps
        if setting not in HAPPENED:
            began.append(event(tsc, EventKind.SETTING, Lane.ENGINE, setting, tally.beside.get(setting, 0), value))
    wire = tally.partner_pid or int(tally.direct)
    for switch, on in tally.wiring.items():
        began.append(event(tsc, EventKind.WIRE, Lane.ENGINE, Switch(switch), wire, int(on)))
    for eventfd, count in tally.eventfd_counts.items():  # which are sampled again only once they have changed
        began.append(event(tsc, EventKind.COUNT, Lane.KVM, eventfd, 0, count))
    return np.concatenate([no_events(), *began])
