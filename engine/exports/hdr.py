"""HdrHistogram: percentiles (.hgrm) and log (.hlog), as its plotters and log analysers read them. Latencies in ns."""

from __future__ import annotations

import io
import re
from collections.abc import Collection, Iterator
from typing import IO

import numpy as np
from hdrh.histogram import HdrHistogram
from hdrh.log import HistogramLogWriter

from bellwire.engine.errors import RecordingError
from bellwire.engine.folds.histogram import HIGHEST, Histogram, bottom_of
from bellwire.engine.folds.latency import LATENCIES, Latencies
from bellwire.engine.language import tr
from bellwire.engine.recordings.header import utc
from bellwire.engine.recordings.recording import Progress, Recording

DIGITS = 3
US = 1000.0  # ns
MAX_UNIT = 1e6  # of the log's column of maxima: ms, as HdrHistogram writes them
BY_IMPORTANCE = ("round_trip", "doorbell", "injection", "store_cost")  # .hgrm holds one: the first that there is


def refuse_hops(recording: Recording) -> None:
    """RecordingError of a VMM that was seen from outside."""
    if attached := recording.header.attached:
        raise RecordingError(
            tr(
                "{path} was recorded of {process}, seen from outside: hops, not journeys, so there are no latencies "
                "of journeys in it.",
                path=recording.path,
                process=attached.title,
            )
        )


def refuse_emulated(recording: Recording) -> None:
    """RecordingError of a run whose CPU was emulated: its times mean nothing, and no file says so beside them."""
    if recording.header.clock.emulated:
        raise RecordingError(
            tr(
                "{path} is of a run on an emulated CPU, whose times mean nothing: it has no latencies.",
                path=recording.path,
            )
        )


def refuse_hidden(recording: Recording, latencies: Latencies, told: Collection[str], hidden: Collection[str]) -> None:
    """RecordingError where there are latencies and none can be told: a file of none would say that there are none."""
    if hidden and not told:
        raise RecordingError(
            tr(
                "{path} has no latency that could be told: {clocks} are apart.",
                path=recording.path,
                clocks=latencies.clock_error.clocks,
            )
        )


def words_without(hidden: Collection[str]) -> str:
    """What a file says of the latencies that are not in it."""
    return f"; without {', '.join(hidden)}: clocks that are apart" if hidden else ""


def hdr_of(histogram: Histogram) -> HdrHistogram:
    """The same counts; the bins are the same."""
    hdr = HdrHistogram(1, HIGHEST, DIGITS)
    used = np.flatnonzero(histogram.counts)
    for value, count in zip(bottom_of(used).tolist(), histogram.counts[used].tolist(), strict=True):
        hdr.record_value(value, count)
    return hdr


def write_percentiles(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """The percentiles in µs of the first of BY_IMPORTANCE that the run has and that is known; how many latencies."""
    refuse_hops(recording)
    refuse_emulated(recording)
    latencies = Latencies(recording.header.scenario, recording.header.clock, recording.header.backend)
    for events in recording.sorted_batches(progress):
        latencies.feed(events)
    counted = [name for name in BY_IMPORTANCE if latencies.histograms[name].count]
    told, hidden = [name for name in counted if latencies.known(name)], latencies.hidden(counted)
    refuse_hidden(recording, latencies, told, hidden)
    if not told and latencies.journeys:
        raise RecordingError(
            tr(
                "{path} has no latency: all of its journeys belong to the warm-up, or were under way while something "
                "stood still.",
                path=recording.path,
            )
        )
    if not told:
        raise RecordingError(
            tr("{path} has no latency: nothing in it has arrived of which both ends are known.", path=recording.path)
        )
    name = told[0]
    histogram = latencies.histograms[name]
    file.write(f"#[{run_description(recording)}; {name}, µs{words_without(hidden)}]\n".encode())
    file.write(percentiles_of(hdr_of(histogram), histogram.max))
    return histogram.count


def percentiles_of(hdr: HdrHistogram, most: int) -> bytes:
    """Its percentiles in µs. most: the largest latency (ns), which the library knows by its bin alone.

    So it would be up to 0.1 % more here than in the log and in `bellwire info`. And the library scales every figure of
    the summary but the standard deviation.
    """
    made = io.BytesIO()
    hdr.output_percentile_distribution(made, US)
    deviation = f"{hdr.get_stddev() / US:12.{DIGITS}f}".encode()
    text = re.sub(rb"(StdDeviation\s*=\s)\s*[\d.]+", lambda found: found[1] + deviation, made.getvalue())
    return re.sub(
        rb"(^|Max\s*=\s)( *[\d.]+)(?= +[\d.]+ +\d|,)",
        lambda found: found[1] + f"{min(float(found[2]), most / US):12.{DIGITS}f}".encode(),
        text,
        flags=re.MULTILINE,
    )


def run_description(recording: Recording) -> str:
    """Which run it is."""
    header = recording.header
    return f"bellwire {header.program}: {header.scenario.name} on {header.host.get('cpu', '?')}, {header.backend}"


def write_log(recording: Recording, file: IO[bytes], progress: Progress) -> int:
    """A line for each second and latency, tagged with its name; how many latencies.

    Lines are written once all of the run is read: only then is it known which latencies its clocks let be told.
    """
    refuse_hops(recording)
    refuse_emulated(recording)
    text = io.TextIOWrapper(file, "utf-8", write_through=True)
    latencies = Latencies(recording.header.scenario, recording.header.clock, recording.header.backend)
    try:
        lines = [
            (name, histogram.count, line_of(recording.seconds - second, second, name, histogram))
            for second, name, histogram in seconds(recording, latencies, progress)
        ]
        told = [line for line in lines if latencies.known(line[0])]
        hidden = latencies.hidden({name for name, _, _ in lines})
        refuse_hidden(recording, latencies, {name for name, _, _ in told}, hidden)
        write_head(recording, text, hidden)
        text.writelines(line for _, _, line in told)
        return sum(count for _, count, _ in told)
    finally:
        text.detach()  # the file is its owner's to close


def write_head(recording: Recording, text: IO[str], hidden: Collection[str]) -> None:
    """What the log is of. hidden: the latencies that are not in it."""
    log, began = HistogramLogWriter(text), recording.first_ns  # each line counts from the first event on
    seconds, words = f"{began // 10**9}.{began // 10**6 % 1000:03}", utc(began) or "unknown"
    log.output_log_format_version()
    log.output_comment(f"[{run_description(recording)}; latencies in ns{words_without(hidden)}]")
    log.output_comment(f"[StartTime: {seconds} (seconds since epoch), {words}]")
    log.output_comment(f"[BaseTime: {seconds} (seconds since epoch)]")
    log.output_legend()


def line_of(left: float, second: float, name: str, histogram: Histogram) -> str:
    """One second of one latency, of which only so much may be left."""
    payload, length = hdr_of(histogram).encode().decode(), min(1.0, max(left, 0.001))  # the last may not be over
    return f"Tag={name},{second:.3f},{length:.3f},{histogram.max / MAX_UNIT:.6f},{payload}\n"


def seconds(recording: Recording, latencies: Latencies, progress: Progress) -> Iterator[tuple[float, str, Histogram]]:
    """(seconds since the first event, name, latencies whose journeys ended then), in order; warm-up left out.

    latencies: of which nothing is fed yet.
    """
    length, end = recording.header.clock.cycles(1.0), recording.first
    for events in recording.sorted_batches(progress):
        start = 0
        for cut in second_starts(events["tsc"], recording.first, length):
            latencies.feed(events[start:cut])
            if int(events["tsc"][cut]) >= end + length:
                yield from taken(latencies, (end - recording.first) / length)
                end = recording.first + (int(events["tsc"][cut]) - recording.first) // length * length
            start = cut
        latencies.feed(events[start:])
    yield from taken(latencies, (end - recording.first) / length)


def second_starts(tsc: np.ndarray[tuple[int], np.dtype[np.uint64]], first: int, length: int) -> list[int]:
    """Where in `tsc` (rising) another second begins; its first event counts."""
    second = (tsc - np.uint64(first)) // np.uint64(length)
    return np.flatnonzero(np.concatenate([[True], second[1:] != second[:-1]])).tolist()


def taken(latencies: Latencies, second: float) -> Iterator[tuple[float, str, Histogram]]:
    """Takes out what has been counted."""
    for name in LATENCIES:
        if latencies.histograms[name].count:
            yield second, name, latencies.histograms[name]
            latencies.histograms[name] = Histogram()
