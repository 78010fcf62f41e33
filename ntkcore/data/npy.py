"""Headers of .npy files that nobody vouches for: uploaded, or damaged on the disk."""

from typing import IO

import numpy as np

_HEADER = 10_000  # characters of a header before it is refused
_READERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether it is stored by columns, and type of an array; the file then stands at its data.

    Raises:
        ValueError: it is damaged, or of a version that is not read.
    """
    try:
        shape, by_columns, dtype = _READERS[np.lib.format.read_magic(file)](file, max_header_size=_HEADER)
    except Exception as error:  # the header is Python source, and what reads it raises as many errors as Python has
        raise ValueError("the header of the array is damaged") from error
    if min(shape, default=0) < 0:
        raise ValueError(f"the shape of the array is {shape}")
    return tuple(map(int, shape)), by_columns, dtype
