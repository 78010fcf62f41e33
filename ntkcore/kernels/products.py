"""Sums of matrix products over many columns on a CPU: whole pieces of columns to each processor."""

from collections.abc import Sequence
from functools import partial

import numpy as np
import torch
from torch import Tensor

from ntkcore.kernels.pool import pool, processors
from ntkcore.kernels.ways import Products, product

LARGEST = 2560
"""Rows up to which each processor takes whole pieces: each then needs a result of its own."""

WHOLE = 192
"""Rows of a symmetric product up to which both halves are computed."""

_STRIPE = (128, 256)  # the fewest and the most rows multiplied at once, else a tenth of all: what lies left of them is not computed
_WORTH = 2**27  # multiplications below which threads cost more than they gain


def add_products(left: Sequence[Tensor], right: Sequence[Tensor] | None, total: Tensor, together: int, way: Products = "blas") -> None:
    """Add ``sum_p left_p right_p^T`` to ``total`` (n, m), which is float64; for ``right`` None that of ``left`` with itself.

    Products of the pieces (n, columns) and (m, columns), of at most ``together`` columns each, are taken in their dtype; those of more
    columns are added in float64, in an order that is always the same. Of ``left`` with itself the upper triangle is sure to be there,
    and all of it up to WHOLE rows. ``way`` is that of the products (:mod:`ntkcore.kernels.ways`).
    """
    height, width = total.shape
    count = processors()
    worth = max(height, width) <= LARGEST and height * width * sum(piece.shape[1] for piece in left) >= _WORTH
    if not worth or (count < 2 and way == "blas"):
        for here, there in zip(left, left if right is None else right, strict=True):
            if right is not None:
                total += product(here, there, way)
                continue
            values = here.numpy()
            with np.errstate(all="ignore"):  # what is not finite is refused with the whole kernel
                total += torch.from_numpy(values @ values.T)  # NumPy knows the product for symmetric: half the multiplications
        return
    # processors that take pieces of their own never wait for each other, as those do that share one product
    mine = _shares(left, count)
    theirs = mine if right is None else _shares(right, count)
    sums = [total, *[torch.zeros_like(total) for _ in range(count - 1)]]
    with pool(count) as threads:
        list(threads.map(partial(_add_in_turn, together=together, symmetric=right is None, way=way), mine, theirs, sums))
    for other in sums[1:]:
        total += other


def _shares(pieces: Sequence[Tensor], count: int) -> list[list[Tensor]]:
    """The pieces' columns in ``count`` equal parts, in order; a piece that reaches into the next part is cut."""
    columns = sum(piece.shape[1] for piece in pieces)
    ends = [columns * (share + 1) // count for share in range(count)]
    shares: list[list[Tensor]] = [[] for _ in range(count)]
    done = share = 0
    for piece in pieces:
        while piece.shape[1]:
            if done == ends[share]:
                share += 1
            taken = min(piece.shape[1], ends[share] - done)
            shares[share].append(piece[:, :taken])
            piece = piece[:, taken:]
            done += taken
    return shares


def _add_in_turn(left: Sequence[Tensor], right: Sequence[Tensor], total: Tensor, together: int, *, symmetric: bool, way: Products) -> None:
    height, width = total.shape
    summed = left[0].new_zeros(height, width)  # what lies left of the stripes stays zero
    rows = min(max(height // 10, _STRIPE[0]), _STRIPE[1]) if symmetric and height > WHOLE else height
    columns = 0
    for here, there in zip(left, right, strict=True):
        if columns + here.shape[1] > together:
            total += summed
            columns = 0
        if way == "onednn":  # copied here, once for all stripes
            here, there = (here.contiguous(),) * 2 if here is there else (here.contiguous(), there.contiguous())
        for start in range(0, height, rows):
            first = start if symmetric else 0
            stripe = summed[start : start + rows, first:]
            if way == "blas":
                torch.addmm(stripe, here[start : start + rows], there[first:].T, beta=1 if columns else 0, out=stripe)
            elif columns:
                stripe += product(here[start : start + rows], there[first:], way)
            else:
                stripe.copy_(product(here[start : start + rows], there[first:], way))
        columns += here.shape[1]
    total += summed
