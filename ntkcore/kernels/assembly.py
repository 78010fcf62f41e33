"""A block of features being made, batch by batch, from several threads."""

import threading
from collections import Counter
from collections.abc import Sequence

from torch import Tensor

from ntkcore.kernels.buffers import Buffers, machine_bytes
from ntkcore.kernels.features import Block, ExplicitFeatures, Features, Room, numpy_dtype

_BUFFERS = Buffers(machine_bytes() // 8)

Found = dict[int, Sequence[Features]]
"""A batch's features by layer."""


class Assembly:
    """A block being made, batch by batch, from several threads: small formed gradients go side by side into one matrix, large ones are
    formed in their own."""

    def __init__(self, samples: int, per_sample: int) -> None:
        self._samples, self._per_sample = samples, per_sample
        self._columns: dict[tuple[int, int], slice] = {}
        self._formed: Tensor | None = None
        self._others: dict[tuple[int, int], list[tuple[int, Features]]] = {}
        self._own: dict[tuple[int, int], Tensor] = {}
        self._filled: Counter[tuple[int, int]] = Counter()
        self._lock = threading.Lock()

    def room(self, layer: int, start: int, count: int, like: Tensor) -> Room:
        """Memory for ``count`` samples' gradients of a layer, the first being the block's sample ``start``."""

        def give(part: int, numbers: int) -> Tensor:
            place = (layer, part)
            with self._lock:
                if place not in self._own:
                    self._own[place] = _empty(like, self._samples, numbers)
            return self._own[place][start : start + count]

        return give

    def put(self, start: int, count: int, found: Found) -> None:
        """Take the features of the batch of ``count`` samples that begins with the sample ``start``."""
        explicit: dict[tuple[int, int], ExplicitFeatures] = {}
        with self._lock:
            for layer, parts in found.items():
                for number, part in enumerate(parts):
                    place = (layer, number)
                    assert part.samples == count, f"{part.samples} samples' features for {count}"
                    self._filled[place] += count
                    if place in self._own:
                        continue  # formed where it stays
                    if isinstance(part, ExplicitFeatures):
                        explicit[place] = part
                    else:
                        self._others.setdefault(place, []).append((start, part))
            if self._formed is None and explicit:  # the first batch tells the matrix's width
                width = 0
                for place, rows in ((place, part.rows) for place, part in explicit.items()):
                    self._columns[place] = slice(width, width + rows.shape[1])
                    width += rows.shape[1]
                self._formed = _empty(rows, self._samples * self._per_sample, width)
        for place, part in explicit.items():
            assert self._formed is not None
            top = start * self._per_sample
            self._formed[top : top + len(part.rows), self._columns[place]] = part.rows

    def block(self) -> Block:
        """The whole block, of which every entry was written."""
        assert all(count == self._samples for count in self._filled.values()), "a layer's features lack samples"
        parts: list[Features] = [] if self._formed is None else [ExplicitFeatures(self._formed, self._per_sample)]
        rows = self._samples * self._per_sample
        parts += [ExplicitFeatures(self._own[place].view(rows, -1), self._per_sample) for place in sorted(self._own)]
        for place in sorted(self._others):
            pieces = [part for _, part in sorted(self._others.pop(place), key=lambda piece: piece[0])]
            parts.append(pieces[0] if len(pieces) == 1 else type(pieces[0]).stacked(pieces))
        return Block(tuple(parts), self._samples, self._per_sample)


def _empty(like: Tensor, rows: int, columns: int) -> Tensor:
    """A matrix to be filled."""
    if like.device.type != "cpu":
        return like.new_empty(rows, columns)
    return _BUFFERS.lend((rows, columns), numpy_dtype(like.dtype))
