import io

import numpy as np
import pytest

from ntkcore.data.npy import read_header


def written(header: bytes, version=(1, 0)) -> io.BytesIO:
    length = len(header).to_bytes(2 if version == (1, 0) else 4, "little")
    return io.BytesIO(b"\x93NUMPY" + bytes(version) + length + header + b"data")


def test_a_header_that_numpy_wrote():
    for array in (np.zeros((3, 4), np.uint8), np.zeros(5, ">f4"), np.array("text"), np.asfortranarray(np.zeros((2, 3)))):
        file = io.BytesIO()
        np.save(file, array)
        file.seek(0)
        shape, by_columns, dtype = read_header(file)
        assert (shape, dtype) == (array.shape, array.dtype) and by_columns == (not array.flags.c_contiguous)
        assert len(file.read()) == array.nbytes


HOSTILE = [
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (3,",  # an end that never comes
    b"  {'descr': '|u1',\n 'x'\n   }",
    b"(" * 5000,
    b"{'descr': [1, 2, 3], 'fortran_order': False, 'shape': (3,)}",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': 3}",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (-3,)}",
    b"{'descr': '|u1', 'fortran_order': False, 'shape': (3.0,)}",
    b"{'descr': '?x9', 'fortran_order': False, 'shape': (3,)}",
    b"{[]: '|u1', 'fortran_order': False, 'shape': (3,)}",
    b"-" * 9000 + b"1",
    b"\x00" * 100,
    b"{'descr': '''",
    b"\xff\xfe" * 30,
    b" " * 20_000,
    b"",
]


@pytest.mark.parametrize("header", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_headers_are_one_kind_of_error(header):
    for version in ((1, 0), (2, 0), (3, 0), (9, 9)):
        with pytest.raises(ValueError):
            read_header(written(header, version))


def test_no_flipped_bit_is_another_kind_of_error():
    file = io.BytesIO()
    np.save(file, np.arange(12).reshape(3, 4))
    sound = file.getvalue()
    for bit in range(8 * (len(sound) - 96)):
        data = bytearray(sound)
        data[bit // 8] ^= 1 << bit % 8
        try:
            read_header(io.BytesIO(bytes(data)))
        except ValueError:
            continue
