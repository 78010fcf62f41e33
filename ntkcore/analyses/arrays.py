"""Arrays that are written whole into a draft."""

import numpy as np

from ntkcore.store import Draft


def put_array(draft: Draft, name: str, values: np.ndarray, tile: tuple[int, ...] | None = None) -> None:
    """Write an array in its own dtype: as one tile, or in tiles of this shape, so that a damaged one costs little to make again."""
    sides = values.shape if tile is None else tuple(max(1, min(side, size)) for side, size in zip(tile, values.shape, strict=True))
    draft.create(name, values.shape, str(values.dtype), sides)
    for at in np.ndindex(*(-(-size // side) if side else 0 for size, side in zip(values.shape, sides, strict=True))):
        draft.write(name, at, values[tuple(slice(i * side, (i + 1) * side) for i, side in zip(at, sides, strict=True))])
