"""Thrift's compact protocol, on bytes written by hand from its specification and on every cut and change of them."""

import numpy as np
import pytest

from ntkcore.data.thrift import read_structure

# fields 1 to 6 and 20: i32 -3, i64 300, "hi", a list of two i32, a structure with field 1 true, a double, an i16 1
WHOLE = bytes([0x15, 0x05, 0x16, 0xD8, 0x04, 0x18, 2, *b"hi", 0x19, 0x25, 2, 4, 0x1C, 0x11, 0, 0x17, *bytes(8), 0x04, 0x28, 0x02, 0])
FOUND = {1: -3, 2: 300, 3: b"hi", 4: [1, 2], 5: {1: True}, 6: bytes(8), 20: 1}


def test_every_kind_of_value():
    assert read_structure(WHOLE + b"after it") == (FOUND, len(WHOLE))


@pytest.mark.parametrize("length", range(len(WHOLE)))
def test_data_that_end_too_soon(length):
    with pytest.raises(IndexError):
        read_structure(WHOLE[:length])


@pytest.mark.parametrize(
    "data",
    [
        b"\x1c" * 100 + bytes(100),  # structures in structures
        b"\x19" + b"\x19" * 100,  # lists in lists
        b"\x19\xfc" + b"\xff" * 8 + b"\x01" + bytes(100),  # a list that says it is long
        b"\x19\xf1" + b"\xff" * 4 + b"\x07" + bytes(100),
        b"\x16" + b"\x80" * 20,  # a number without end
        b"\x1b\x00\x00",  # a map, which no Parquet file has
        b"\x1f\x00",
    ],
)
def test_what_is_no_structure_of_a_parquet_file(data):
    with pytest.raises(ValueError):
        read_structure(data)


def test_changed_bytes_raise_nothing_else():
    rng = np.random.default_rng(0)
    for _ in range(2000):
        data = np.frombuffer(WHOLE, np.uint8).copy()
        data[rng.integers(0, len(data), 3)] = rng.integers(0, 256, 3)
        try:
            read_structure(data.tobytes())
        except (IndexError, ValueError):
            continue
