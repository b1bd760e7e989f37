"""Guests that nobody wrote, each made from a seed alone: random bytes, programs with flipped bits, scribblers.

A scribbler stores anything anywhere in what a guest shares with its host, and now and then what could be true: stamps
with a time of this moment, counters that go on by one, numbers that lie by a little.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bellwire.engine._core import lib
from bellwire.engine.machines.build import refusal
from bellwire.engine.machines.stamping import guest_image
from bellwire.engine.scenarios.scenario import Doorbell, Pace, Scenario, list_scenarios
from bellwire.engine.scenarios.traits import Trait
from bellwire.engine.scenarios.traits_of import traits_of

FLAT_OUT = Pace(float("inf"), 1, "hlt")
STARTS_OTHERS = {Trait.PARTNERED, Trait.REAL_QEMU}
CHEAP = 3  # a machine that starts no other process is chosen so many times more often


@dataclass(frozen=True)
class Case:
    """One guest to run: its name says all, "scribbler/7/123" is number 123 of the seed 7."""

    family: str
    seed: int
    number: int

    def __str__(self) -> str:
        return f"{self.family}/{self.seed}/{self.number}"

    @classmethod
    def named(cls, name: str) -> Case:
        """The case that __str__ names."""
        family, seed, number = name.split("/")
        return cls(family, int(seed), int(number))

    def dice(self) -> random.Random:
        """The same numbers each time."""
        return random.Random(str(self))

    def scenario(self, folder: Path) -> Scenario:
        """A scenario of any machine, whose guest is this case's; its image is written to `folder`."""
        dice = self.dice()
        scenario = dice.choice(dice.choice(machines()))
        image = folder / f"{self.family}-{self.number}.bin"
        image.write_bytes(FAMILIES[self.family](dice, scenario))
        pace = FLAT_OUT if dice.random() < 0.5 else scenario.pace
        return replace(scenario, guest=str(image.with_suffix("")), pace=pace)


@cache
def machines() -> list[list[Scenario]]:
    """The scenarios of each machine that this host can run, as often as it is to be chosen."""
    there: dict[str, list[Scenario]] = {}
    for scenario in sorted(list_scenarios(), key=lambda scenario: scenario.name):
        if not refusal(scenario):
            there.setdefault(scenario.machine, []).append(scenario)
    return [some for some in there.values() for _ in range(1 if STARTS_OTHERS & traits_of(some[0]) else CHEAP)]


# -- the families ------------------------------------------------------------------------------------------------------


def random_bytes(dice: random.Random, _scenario: Scenario) -> bytes:
    """Nothing but chance; behind a short one the memory is zero, which is an instruction too."""
    return dice.randbytes(dice.choice((16, 256, 4096, lib.BW_IMAGE_MAX)))


def flipped_bits(dice: random.Random, scenario: Scenario) -> bytes:
    """The scenario's own program with a few bits turned over."""
    code = bytearray(guest_image(scenario.guest).read_bytes())
    for _ in range(2 ** dice.randrange(8)):
        code[dice.randrange(len(code))] ^= 1 << dice.randrange(8)
    return bytes(code)


def scribbler(dice: random.Random, scenario: Scenario) -> bytes:
    """A long loop of stores and doorbells, which says first that it is ready; some of them stop at the end."""
    honest = dice.random()
    code = store(lib.BW_STATUS + lib.BW_ST_READY, 1)
    for number in range(dice.randrange(20, 400)):
        code += true_looking(dice, scenario, number) if dice.random() < honest else anything(dice, scenario)
    return code + (HALT if dice.random() < 0.1 else jump_back(len(code)))


FAMILIES: dict[str, Callable[[random.Random, Scenario], bytes]] = {
    "random bytes": random_bytes,
    "flipped bits": flipped_bits,
    "scribbler": scribbler,
}

# -- what a scribbler does ---------------------------------------------------------------------------------------------

HALT = b"\xfa\xf4\xeb\xfc"  # cli; hlt; and again
COUNTERS = [
    lib.BW_STATUS + offset
    for offset in (
        *(lib.BW_ST_READY, lib.BW_ST_FAULT, lib.BW_ST_RUNG, lib.BW_ST_HANDLED, lib.BW_ST_WINDOWS),
        *(lib.BW_ST_BUFFERS_ADDED, lib.BW_ST_BUFFERS_TAKEN, lib.BW_ST_BUFFERS_WRONG),
        *(lib.BW_ST_SECTORS_WRITTEN, lib.BW_ST_SECTORS_COMPARED, lib.BW_ST_SECTORS_WRONG),
    )
]
RING_ARRAYS = (lib.BW_RING_TIMES, lib.BW_RING_HANDLERS, lib.BW_RING_TURNS)
# Where a guest and its host meet: (address, size)
SHARED = [
    *[(counter, 8) for counter in COUNTERS],
    (lib.BW_STATUS, lib.BW_PAGE_SIZE),
    (lib.BW_CONTROL, lib.BW_PAGE_SIZE),
    *[(array, size) for array in (*RING_ARRAYS, lib.BW_HANDLER_STAMPS) for size in (256, 8 * lib.BW_STAMP_SLOTS)],
    *[(lib.BW_WINDOW_STAMPS, size) for size in (256, lib.BW_WINDOW_STAMP_WRAP)],
    *[
        (lib.BW_VIRTQUEUE_DESCRIPTORS, lib.BW_PAGE_SIZE),
        (lib.BW_VIRTQUEUE_AVAILABLE, 256),
        (lib.BW_VIRTQUEUE_USED, 1024),
    ],
    (lib.BW_VIRTQUEUE_BUFFERS, lib.BW_PAGE_SIZE),
    (lib.BW_BLOCK, lib.BW_BLOCK_SIZE),
    (lib.BW_PEER_CONTROL, lib.BW_PAGE_SIZE),
]


def anything(dice: random.Random, scenario: Scenario) -> bytes:
    """Any value anywhere in what is shared; or a doorbell, so that the host looks."""
    if scenario.doorbell and dice.random() < 0.1:
        return ring(scenario.doorbell, dice.choice((scenario.doorbell.value, dice.getrandbits(8))))
    address, size = dice.choice(SHARED)
    address += dice.randrange(size // 8) * 8
    return store(address, any_value(dice)) if dice.random() < 0.8 else store_time(address)


def any_value(dice: random.Random) -> int:
    """64 bits, small numbers more often than chance would have it, and the edges."""
    edges = (0, 1, 2**16 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)
    return dice.choice((dice.getrandbits(64) >> dice.randrange(64), dice.randrange(200), dice.choice(edges)))


def true_looking(dice: random.Random, scenario: Scenario, number: int) -> bytes:
    """A stamp of this moment in the next slot and its counter one on, or a buffer; with a number that may lie."""
    slot, irq = number % lib.BW_STAMP_SLOTS, dice.randrange(number + 3)
    choice = dice.randrange(5)
    if choice == 0 and scenario.doorbell:
        return ring(scenario.doorbell, scenario.doorbell.value)
    if choice <= 1:
        times, handler, turn = (array + 8 * slot for array in RING_ARRAYS)
        marked = store_time(turn) if dice.random() < 0.3 else b""
        answered = store_handler(handler, irq) if dice.random() < 0.5 else store(handler, 0)
        rung = store_half(times) + store_half(times + 4) + count(lib.BW_STATUS + lib.BW_ST_RUNG)
        return marked + answered + rung
    if choice == 2:
        return store_handler(lib.BW_HANDLER_STAMPS + 8 * slot, irq) + count(lib.BW_STATUS + lib.BW_ST_HANDLED)
    if choice == 3:
        return count(dice.choice(COUNTERS))
    return buffer(dice, number)


def buffer(dice: random.Random, number: int) -> bytes:
    """A descriptor that is right but for its luck, in the available ring, and the index one on."""
    index = dice.randrange(lib.BW_VIRTQUEUE_SIZE)
    address, length = dice.randrange(lib.BW_MEMORY_SIZE - 64), dice.randrange(64)
    flags, following = dice.randrange(4), dice.randrange(lib.BW_VIRTQUEUE_SIZE)
    at = lib.BW_VIRTQUEUE_DESCRIPTORS + 16 * index
    entry = lib.BW_VIRTQUEUE_AVAILABLE + 4 + number % lib.BW_VIRTQUEUE_SIZE // 4 * 8
    return (
        store(at, address)
        + store(at + 8, length | flags << 32 | following << 48)
        + store(entry, index * 0x0001000100010001)
        + count16(lib.BW_VIRTQUEUE_AVAILABLE + 2)
    )


# -- instructions (Intel SDM vol. 2) -----------------------------------------------------------------------------------


def store(address: int, value: int) -> bytes:
    """mov $value, %rax; mov %rax, address"""
    return b"\x48\xb8" + struct.pack("<Q", value) + b"\x48\xa3" + struct.pack("<Q", address)


def store_time(address: int) -> bytes:
    """rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, address"""
    return b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\x48\xa3" + struct.pack("<Q", address)


def store_half(address: int) -> bytes:
    """rdtsc; mov %eax, address"""
    return b"\x0f\x31\x89\x04\x25" + struct.pack("<I", address)


def store_handler(address: int, irq: int) -> bytes:
    """rdtsc; mov $irq, %edx; shl $32, %rdx; or %rdx, %rax; mov %rax, address"""
    time_below = b"\x0f\x31\xba" + struct.pack("<I", irq % 2**32) + b"\x48\xc1\xe2\x20\x48\x09\xd0"
    return time_below + b"\x48\xa3" + struct.pack("<Q", address)


def count(address: int) -> bytes:
    """incq address"""
    return b"\x48\xff\x04\x25" + struct.pack("<I", address)


def count16(address: int) -> bytes:
    """incw address"""
    return b"\x66\xff\x04\x25" + struct.pack("<I", address)


def ring(doorbell: Doorbell, value: int) -> bytes:
    """Writes a value in the doorbell's width to the doorbell's address."""
    load = b"\x48\xb8" + struct.pack("<Q", value)
    if doorbell.bus == "pio":
        out = {1: b"\xee", 2: b"\x66\xef", 4: b"\xef"}[doorbell.width]
        return load + b"\x66\xba" + struct.pack("<H", doorbell.address) + out
    opcode = {1: b"\xa2", 2: b"\x66\xa3", 4: b"\xa3", 8: b"\x48\xa3"}[doorbell.width]
    return load + opcode + struct.pack("<Q", doorbell.address)


def jump_back(length: int) -> bytes:
    """jmp to the start of the `length` bytes before"""
    return b"\xe9" + struct.pack("<i", -length - 5)
