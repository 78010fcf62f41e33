"""What every draft has: arrays written whole, the device they were made on, and what it says it is."""

from collections.abc import Sequence

import numpy as np

from ntkcore.analyses.progress import Reporter
from ntkcore.specs import Method, Spec, versions
from ntkcore.store import Draft


def put_array(draft: Draft, name: str, values: np.ndarray, tile: tuple[int, ...] | None = None) -> None:
    """Write an array in its own dtype: as one tile, or in tiles of this shape, so that a damaged one costs little to make again."""
    sides = values.shape if tile is None else tuple(max(1, min(side, size)) for side, size in zip(tile, values.shape, strict=True))
    draft.create(name, values.shape, str(values.dtype), sides)
    for at in np.ndindex(*(-(-size // side) if side else 0 for size, side in zip(values.shape, sides, strict=True))):
        draft.write(name, at, values[tuple(slice(i * side, (i + 1) * side) for i, side in zip(at, sides, strict=True))])


def one_device(draft: Draft, reporter: Reporter, names: tuple[str, ...]) -> None:
    """Drop what a draft holds from another kind of device: its rounding differs, and the halves would not fit together."""
    kind = reporter.device.split(":")[0]
    made = draft.get_json("made")
    if made is not None and made["device"] != kind:
        for name in (*names, "ways"):
            draft.drop(name)
        reporter.warn(f"An unfinished computation on another device ({made['device']}) was begun anew on this one ({kind}).")
    draft.put_json("made", {"device": kind})


def identity_of(spec: Spec, version: int, uses: Sequence[Method] = ()) -> dict[str, object]:
    """What a draft and a manifest say they are; what version 0.1.0 stored does not say what it uses."""
    return {"spec": spec.model_dump(mode="json"), "version": version, "uses": versions(uses)}
