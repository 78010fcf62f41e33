"""What a network's operations do with its samples, told by the operations themselves and not by what they gave for a few samples."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

_aten = torch.ops.aten
_DECIDING = (_aten.equal.default, _aten.allclose.default, _aten._pack_padded_sequence.default)
"""Operations that turn values into decisions or lengths, beside those that torch marks as such."""

_BY_INDEX = {
    "index_select",
    "gather",
    "index_add",
    "index_add_",
    "index_copy",
    "index_copy_",
    "scatter",
    "scatter_",
    "scatter_add",
    "scatter_add_",
}
_MARKED = (torch.Tag.data_dependent_output, torch.Tag.dynamic_output_shape)
_LEAVING = (Tensor.tolist, Tensor.numpy, Tensor.__array__)


class WeightsWritten(Exception):
    """An operation is about to write to a weight."""


class Watch(TorchDispatchMode):
    """Follows the samples and the weights through one forward pass.

    Attributes:
        decides: values of the samples decide which operations run or how large their results are.
        moves: rows are taken or put by an index that depends on the samples.
        indexes: whole numbers that depend on the samples are an index into anything.
        narrowed: a precision below the network's in which something that depends on its weights was computed, or None.
        draws: an operation was given a random generator.
    """

    def __init__(self, samples: Tensor, weights: Iterable[Tensor], dtype: torch.dtype) -> None:
        super().__init__()
        self.decides = self.moves = self.indexes = self.draws = False
        self.narrowed: torch.dtype | None = None
        self.quiet = 0
        self._rows, self._eps = len(samples), torch.finfo(dtype).eps
        self._held: list[object] = []  # what is followed must not make room for something else at its address
        self._of_samples: set[int] = set()
        self._of_weights: set[int] = set()
        self._mark(self._of_samples, samples)
        for weight in weights:
            self._mark(self._of_weights, weight)
        self._weights = frozenset(self._of_weights)

    def of_samples(self, value: object) -> bool:
        """Whether a tensor depends on the samples."""
        return isinstance(value, Tensor) and self._place(value) in self._of_samples

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = tree_leaves((args, kwargs))
        tensors = [value for value in given if isinstance(value, Tensor)]
        sampled = any(self.of_samples(tensor) for tensor in tensors)
        weighted = any(self._place(tensor) in self._of_weights for tensor in tensors)
        if sampled and not self.quiet:
            self._look(func, args)
        written = _written(func, args, kwargs)
        if any(self._place(tensor) in self._weights for tensor in written):
            raise WeightsWritten
        self.draws |= any(isinstance(value, torch.Generator) for value in given)
        result = func(*args, **kwargs)
        if sampled or weighted:
            made = [value for value in tree_leaves(result) if isinstance(value, Tensor)]
            for tensor in made + written:
                if sampled:
                    self._mark(self._of_samples, tensor)
                if weighted:
                    self._mark(self._of_weights, tensor)
                    if (tensor.is_floating_point() or tensor.is_complex()) and torch.finfo(tensor.dtype).eps > self._eps:
                        self.narrowed = tensor.dtype
        return result

    def _look(self, func: Any, args: tuple[Any, ...]) -> None:
        name = func._schema.name.removeprefix("aten::")
        if name in ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"):
            self._look_at_index(name, args)
        elif name in ("embedding", "take"):
            self.indexes |= self.of_samples(args[1])
            self.moves |= self.of_samples(args[1]) and self.of_samples(args[0])
        elif name.removesuffix("_") in _BY_INDEX:
            values, axis, index = args[:3]
            if self.of_samples(index):
                self.indexes = True
                moved = self.of_samples(values) or any(self.of_samples(value) for value in args[3:])
                self.moves |= moved and self._of_rows(values, axis % max(1, values.ndim))
        elif func in _DECIDING or any(tag in func.tags for tag in _MARKED):
            self.decides = True

    def _look_at_index(self, name: str, args: tuple[Any, ...]) -> None:
        values, axis = args[0], 0
        moved = any(self.of_samples(value) for value in (values, *args[2:3]))
        for index in args[1]:
            if index is None or not self.of_samples(index):
                axis += 1 if index is None or index.dtype not in (torch.bool, torch.uint8) else index.ndim
                continue
            if index.dtype in (torch.bool, torch.uint8):
                self.decides |= name in ("index", "_unsafe_index")  # as many values as there are true ones
                self.moves |= moved and len(args) > 2 and isinstance(args[2], Tensor) and args[2].ndim > 0 and self.of_samples(args[2])
                axis += index.ndim
            else:
                self.indexes = True
                self.moves |= moved and self._of_rows(values, axis)
                axis += 1

    def _of_rows(self, values: Tensor, axis: int) -> bool:
        """Whether the samples may lie along an axis: any first one, and others of their number."""
        return axis == 0 or (axis < values.ndim and values.shape[axis] == self._rows)

    def _mark(self, places: set[int], tensor: Tensor) -> None:
        place = self._place(tensor)
        if place not in places:
            places.add(place)
            self._held.append(tensor if tensor.layout != torch.strided else tensor.untyped_storage())

    @staticmethod
    def _place(tensor: Tensor) -> int:
        return id(tensor) if tensor.layout != torch.strided else int(tensor.untyped_storage()._cdata)


def _written(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[Tensor]:
    """The tensors that an operation writes to."""
    if not func._schema.is_mutable:
        return []
    named = [(one, args[place] if place < len(args) else kwargs.get(one.name)) for place, one in enumerate(func._schema.arguments)]
    given = [value for one, value in named if one.alias_info is not None and one.alias_info.is_write]
    return [value for value in tree_leaves(given) if isinstance(value, Tensor)]


class Leaving(TorchFunctionMode):
    """Tells a watch of values that leave torch, and of :func:`torch.nn.functional.one_hot`, which looks at them only to check them."""

    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self._watch = watch

    def __torch_function__(self, func: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in _LEAVING and self._watch.of_samples(args[0]):
            self._watch.decides = True
        checks = func is torch.nn.functional.one_hot and (args[1:] or [kwargs.get("num_classes", -1)])[0] > 0
        self._watch.quiet += checks
        try:
            return func(*args, **kwargs)
        finally:
            self._watch.quiet -= checks
