"""Numbers as protobuf writes them."""

from __future__ import annotations

import pytest

from bellwire.engine.exports.protobuf import varint


@pytest.mark.parametrize(
    "number", [0, 1, *(2**bits + more for bits in (7, 14, 21, 28, 35, 56, 63) for more in (-1, 0, 1))]
)
def test_a_varint_is_as_short_as_it_can_be_and_says_its_number(number: int) -> None:
    text = varint(number)
    assert len(text) == max(1, -(-number.bit_length() // 7))
    assert [byte >> 7 for byte in text] == [1] * (len(text) - 1) + [0]
    assert sum((byte & 0x7F) << 7 * place for place, byte in enumerate(text)) == number
