"""How many there are of the things that are counted, in words: none, one or many."""

from __future__ import annotations

from typing import Literal

from bellwire.engine.language import tr, tr_later, tr_n, tr_n_later

Thing = Literal[
    "acknowledgement",
    "annotation",
    "answer",
    "buffer",
    "byte",
    "call",
    "doorbell",
    "event",
    "exit",
    "entry",
    "finding",
    "frame",
    "handler",
    "interrupt",
    "journey",
    "kick",
    "latency",
    "minute",
    "more change",
    "older event",
    "older journey",
    "older one",
    "picture",
    "read",
    "record",
    "recording",
    "request",
    "resample",
    "run",
    "signal",
    "step",
    "token",
    "write",
]

# What is counted: none of it, one, many.
THINGS: dict[Thing, tuple[str, str, str]] = {
    "acknowledgement": (
        tr_later("no acknowledgement"),
        *tr_n_later("{n} acknowledgement", "{n} acknowledgements"),
    ),
    "annotation": (tr_later("no annotation"), *tr_n_later("{n} annotation", "{n} annotations")),
    "answer": (tr_later("no answer"), *tr_n_later("{n} answer", "{n} answers")),
    "buffer": (tr_later("no buffer"), *tr_n_later("{n} buffer", "{n} buffers")),
    "byte": (tr_later("no byte"), *tr_n_later("{n} byte", "{n} bytes")),
    "call": (tr_later("no call"), *tr_n_later("{n} call", "{n} calls")),
    "doorbell": (tr_later("no doorbell"), *tr_n_later("{n} doorbell", "{n} doorbells")),
    "entry": (tr_later("no entry"), *tr_n_later("{n} entry", "{n} entries")),
    "event": (tr_later("no event"), *tr_n_later("{n} event", "{n} events")),
    "exit": (tr_later("no exit"), *tr_n_later("{n} exit", "{n} exits")),
    "finding": (tr_later("no finding"), *tr_n_later("{n} finding", "{n} findings")),
    "frame": (tr_later("no frame"), *tr_n_later("{n} frame", "{n} frames")),
    "handler": (tr_later("no handler"), *tr_n_later("{n} handler", "{n} handlers")),
    "interrupt": (tr_later("no interrupt"), *tr_n_later("{n} interrupt", "{n} interrupts")),
    "journey": (tr_later("no journey"), *tr_n_later("{n} journey", "{n} journeys")),
    "kick": (tr_later("no kick"), *tr_n_later("{n} kick", "{n} kicks")),
    "latency": (tr_later("no latency"), *tr_n_later("{n} latency", "{n} latencies")),
    "minute": (tr_later("no minute"), *tr_n_later("{n} minute", "{n} minutes")),
    "more change": (tr_later("no more change"), *tr_n_later("{n} more change", "{n} more changes")),
    "older event": (tr_later("no older event"), *tr_n_later("{n} older event", "{n} older events")),
    "older journey": (tr_later("no older journey"), *tr_n_later("{n} older journey", "{n} older journeys")),
    "older one": (tr_later("no older one"), *tr_n_later("{n} older one", "{n} older ones")),
    "picture": (tr_later("no picture"), *tr_n_later("{n} picture", "{n} pictures")),
    "read": (tr_later("no read"), *tr_n_later("{n} read", "{n} reads")),
    "record": (tr_later("no record"), *tr_n_later("{n} record", "{n} records")),
    "recording": (tr_later("no recording"), *tr_n_later("{n} recording", "{n} recordings")),
    "request": (tr_later("no request"), *tr_n_later("{n} request", "{n} requests")),
    "resample": (tr_later("no resample"), *tr_n_later("{n} resample", "{n} resamples")),
    "run": (tr_later("no run"), *tr_n_later("{n} run", "{n} runs")),
    "signal": (tr_later("no signal"), *tr_n_later("{n} signal", "{n} signals")),
    "step": (tr_later("no step"), *tr_n_later("{n} step", "{n} steps")),
    "token": (tr_later("no token"), *tr_n_later("{n} token", "{n} tokens")),
    "write": (tr_later("no write"), *tr_n_later("{n} write", "{n} writes")),
}


def count_of(number: float, thing: Thing) -> str:
    """1 doorbell, 1 204 doorbells, no doorbell."""
    none, one, many = THINGS[thing]
    return tr_n(one, many, round(number)) if round(number) else tr(none)


def number_of(number: int, thing: Thing) -> str:
    """The same with the number even of none: 0 doorbells."""
    _, one, many = THINGS[thing]
    return tr_n(one, many, number)
