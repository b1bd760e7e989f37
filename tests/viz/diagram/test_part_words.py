"""Every sentence says what the counters say."""

from __future__ import annotations

import pytest

from bellwire.engine.events import EventKind, Lane, Setting, event
from bellwire.engine.scenarios.scenario import list_scenarios
from bellwire.engine.source import NoSource, Order
from bellwire.viz.diagram import counter_words, part_words
from bellwire.viz.diagram.blueprint import blueprint_of
from bellwire.viz.diagram.captions import caption
from bellwire.viz.diagram.captions_of_one import other_exits
from bellwire.viz.diagram.journey_words import journey_figures
from bellwire.viz.diagram.still_words import Words, speaking
from bellwire.viz.model.live import LiveModel, in_last_second
from bellwire.viz.model.rates import SECOND
from bellwire.viz.text.figures import count_of, duration, grouped, pace, ratio, short
from tests.support.fake_source import FakeSource
from tests.support.models import run


def at_work(scenario: str = "roundtrip", seconds: float = 1.2) -> tuple[FakeSource, LiveModel]:
    source = FakeSource(scenario)
    source.start()
    source.order(Order.PACE, 100)
    model = LiveModel(source)
    run(source, model, seconds)
    return source, model


def test_light_caption() -> None:
    _, model = at_work()
    assert caption(model) == (
        "The guest rang 100 doorbells in the last second; KVM signalled the eventfd each time and none left to user "
        "space. The host sent 100 interrupts, all by irqfd."
    )


def test_heavy_caption() -> None:
    _, model = at_work("roundtrip-userspace")
    assert "every one left to user space" in caption(model)
    assert caption(model).endswith("100 interrupts, by KVM_SIGNAL_MSI.")
    assert part_words.words(model, "vcpu") == "KVM_EXIT_IO: 100"
    assert part_words.words(model, "heavy_count") == "100 in the last second"
    assert part_words.words(model, "answers") == "ioctl(KVM_SIGNAL_MSI)"


def test_mixed_caption_after_a_switch() -> None:
    source, model = at_work()
    source.order(Order.IOEVENTFD, False)
    run(source, model, 0.5)
    left = round(in_last_second(model, "left") or 0)
    assert 25 < left < 60
    assert f"{left} of them left to user space" in caption(model)


def test_a_way_that_is_left_says_how_much_went_there_while_the_last_of_it_is_still_seen() -> None:
    """A token travels for longer than the second that is counted: "0" beside it would look wrong."""
    source, model = at_work()
    source.order(Order.IOEVENTFD, False)
    run(source, model, 1.5)
    source.order(Order.IOEVENTFD, True)
    run(source, model, 1.4)
    assert in_last_second(model, "left") == 0
    before = model.past.sum("left", model.second[0] - 2 * SECOND, model.second[0])
    assert before
    assert part_words.words(model, "heavy_count") == f"none for 1 s, {before:.0f} before"
    run(source, model, 3)
    assert part_words.words(model, "heavy_count") == "0 in the last second"


def test_quiet_guest_and_a_single_doorbell() -> None:
    source, model = at_work()
    source.order(Order.PACE, 0)
    run(source, model, 1.2)
    assert caption(model) == "The guest rang no doorbell in the last second."
    assert part_words.words(model, "vcpu") == "KVM_EXIT_IO: none"
    source.order(Order.DOORBELL)
    run(source, model, 0.2)
    assert caption(model).startswith("The guest rang 1 doorbell in the last second; KVM signalled the eventfd a")


def test_interrupts_of_the_host() -> None:
    _, model = at_work("irq-msi")
    assert caption(model) == "The host sent 100 interrupts in the last second, all by irqfd."
    assert part_words.words(model, "driver") == "rings no doorbell"


def test_step_shows_the_journeys_own_figures() -> None:
    _, model = at_work()
    model.step(-1)
    number = int(model.selection.journeys["seq"][0])
    journey = model.selection.journeys[0]
    took = duration(model.clock.ns(int(journey["doorbell"]) - int(journey["ring"])))
    assert caption(model).startswith(f"The guest's OUT #{number} writes 2 bytes to port 0x510")
    assert journey_figures(model, model.selection.journeys).startswith(f"Doorbell #{number}: {took} to the I/O thread")
    assert part_words.latency_text(model, "doorbell") == took


def test_count_in_slow_motion_is_one_between_the_signal_and_the_read() -> None:
    _, model = at_work()
    model.step(-1)
    journey = model.selection.journeys[0]
    counts = []
    for stage in ("ring", "rung", "doorbell"):
        model.transport.seek(int(journey[stage]))
        counts.append(counter_words.eventfd_count(model, "doorbell", model.tokens()))
    assert counts == [(0, 1), (1, 1), (0, 0)]


def test_a_guest_that_has_ended_is_said_to_have() -> None:
    source, model = at_work()
    rung = model.tally.doorbells_rung
    source.stop()
    assert caption(model).startswith(f"The guest has ended; it rang {rung} doorbells and the host sent ")
    assert part_words.words(model, "vcpu") == "has ended"
    model.step(-1)
    assert caption(model).startswith("The guest's OUT #")


def test_an_eventfd_that_is_no_irqfd_yet_interrupts_nobody() -> None:
    source, model = at_work("lab-early-signal")
    assert caption(model).endswith("No irqfd listens now: the eventfd keeps its count, –, and nobody is interrupted.")
    source.order(Order.IRQFD, True)
    run(source, model, 0.5)
    assert "The irqfd listens: the handler ran" in caption(model)


def test_edges_that_a_masked_pin_lost_are_not_said_to_be_served() -> None:
    _, model = at_work("lab-masked-edge")
    assert caption(model).endswith(
        "The pin is not masked now; the handler ran 100 times, and 0 signals are lost so far."
    )
    model.plugged.feed(event(model.now, EventKind.SETTING, Lane.ENGINE, Setting.MASKED, 100, 1))
    assert "The pin is masked now" in caption(model)
    assert part_words.words(model, "route") == "GSI 5 → pin 5, masked"


def test_exits_that_are_no_doorbells_are_told_apart() -> None:
    assert other_exits(0, 100) == other_exits(15, 100) == ""
    assert other_exits(14890, 6139) == f"Accesses that are no doorbell left to user space {grouped(14890)} times."


def test_a_handler_without_eoi_is_not_said_to_have_one() -> None:
    _, model = at_work("lab-no-eoi")
    assert part_words.words(model, "handler") == "vector 0x44, no EOI"
    assert part_words.words(model, "eoi") == "never comes"
    model.source.host["backend"] = "kvm_pvm"
    assert part_words.words(model, "eoi") == "by PVM, as it injects"


def test_without_a_source() -> None:
    model = LiveModel(NoSource("no /dev/kvm"))
    model.tick(0.01)
    assert caption(model) == "No guest runs."
    assert model.state == "NO KVM"


@pytest.mark.parametrize("scenario", list_scenarios(), ids=lambda scenario: scenario.name)
def test_every_scenario_has_its_words(scenario) -> None:  # type: ignore[no-untyped-def]
    _, model = at_work(scenario.name, 0.3)
    plan = blueprint_of(scenario)
    said = Words.of(model, plan).facts
    assert all(said[name] for name, part in speaking(plan).items() if part.says != "nothing")
    doorbell = scenario.doorbell
    if doorbell:
        drivers = [words for name, words in said.items() if name.partition(".")[0] == "driver"]
        assert drivers
        assert all(f"{doorbell.address:#x}" in words for words in drivers)


def test_host_in_words() -> None:
    host = {"kernel": "6.18.0-rc1+", "cpu": "Intel(R) Xeon(R) CPU @ 2.30GHz", "cpus": "2"}
    assert part_words.host_text(host) == "Linux 6.18, Intel Xeon, 2 CPUs"
    assert part_words.host_text({}) == ""


def test_numbers_in_words() -> None:
    assert grouped(1204311) == "1\u202f204\u202f311"
    assert [duration(ns) for ns in (None, 0, 87, 2914, 31_250, 4.2e6, 3e9)] == [
        "–",
        "0 ns",
        "87 ns",
        "2.91 µs",
        "31.2 µs",
        "4.20 ms",
        "3.00 s",
    ]
    assert [pace(rate) for rate in (0, 1, 2000, float("inf"), 2**63)] == [
        "by hand",
        "1 /s",
        "2 k/s",
        "flat out",
        "flat out",
    ]
    assert ratio(10_000) == "1 : 10\u202f000"
    assert short(1_500_000) == "1.5 M"
    assert [count_of(n, "doorbell") for n in (0, 1, 2)] == ["no doorbell", "1 doorbell", "2 doorbells"]
