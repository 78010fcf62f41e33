"""Per-sample gradients of any parameters by torch.func, or by plain autograd one sample at a time: exact, general and slow."""

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from ntkcore.kernels.features import ExplicitFeatures, rows_within, squared_norms


@dataclass(frozen=True, slots=True)
class GeneralGradients:
    """Gradients of the parameters ``names`` of ``model``; ``one_by_one``: plain autograd, a sample at a time.

    ``activations`` is the number of values that all layers put out for one sample; each output's backward pass holds as many.
    """

    model: nn.Module
    names: tuple[str, ...]
    outputs: int
    one_by_one: bool
    activations: int

    @property
    def dtype(self) -> torch.dtype:
        """Precision of the parameters."""
        return self._parameter(self.names[0]).dtype

    def size(self) -> int:
        """P of these parameters."""
        return sum(self._parameter(name).numel() for name in self.names)

    def gradients(self, x: Tensor, seeds: Tensor) -> Tensor:
        """(s, b, P) gradients of the combinations ``seeds`` (s, k) of outputs for ``x`` (b, ...)."""
        if self.one_by_one:
            return torch.stack([self._single(sample, seeds) for sample in x], 1)
        chosen = {name: self._parameter(name).detach() for name in self.names}
        rest = {name: p.detach() for name, p in self.model.named_parameters() if name not in chosen}

        def output(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
            result: Tensor = functional_call(self.model, {**rest, **parameters}, (sample.unsqueeze(0),))
            return seeds @ result[0]

        with torch.no_grad(), quiet_vmap():
            jacobian = vmap(jacrev(output), in_dims=(None, 0))(chosen, x)
        return torch.cat([jacobian[name].flatten(2) for name in self.names], -1).transpose(0, 1)

    def squared_norms(self, x: Tensor) -> Tensor:
        """(k, b) float64."""
        like = self._parameter(self.names[0])
        eye = torch.eye(self.outputs, dtype=like.dtype, device=like.device)
        per_output = self.size() + self.activations
        span = min(self.outputs, rows_within(like, per_output))
        step = 1 if self.one_by_one else rows_within(like, span * per_output)
        result = torch.zeros(self.outputs, len(x), dtype=torch.float64, device=x.device)
        for start in range(0, len(x), step):
            for first in range(0, self.outputs, span):
                last = min(self.outputs, first + span)
                result[first:last, start : start + step] = squared_norms(self.gradients(x[start : start + step], eye[first:last]))
        return result

    def features(self, x: Tensor, seeds: Tensor, joined: bool) -> ExplicitFeatures:
        """Gradients of the combinations ``seeds`` (s, k) of outputs for a block of samples."""
        pieces = x.split(self.step(len(seeds)))
        return ExplicitFeatures.stacked([ExplicitFeatures.of(self.gradients(piece, seeds), joined) for piece in pieces])

    def step(self, count: int) -> int:
        """Samples whose gradients of ``count`` scalars are formed at once."""
        return 1 if self.one_by_one else rows_within(self._parameter(self.names[0]), count * (self.size() + self.activations))

    def by_parameter(self, x: Tensor, seeds: Tensor) -> dict[str, Tensor]:
        """:meth:`gradients` (s, b, P) of each parameter by its name."""
        parts = self.gradients(x, seeds).split([self._parameter(name).numel() for name in self.names], -1)
        return dict(zip(self.names, parts, strict=True))

    def _parameter(self, name: str) -> nn.Parameter:
        return self.model.get_parameter(name)

    def _single(self, sample: Tensor, seeds: Tensor) -> Tensor:
        parameters = [self._parameter(name) for name in self.names]
        scalars = seeds @ self.model(sample.unsqueeze(0))[0]
        return torch.stack([torch.cat([g.flatten() for g in plain_gradients(scalar, parameters)]) for scalar in scalars])


def plain_gradients(output: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    """Plain autograd: the gradient of one number with respect to each parameter, zeros where it does not depend on it."""
    if not output.requires_grad:
        return [torch.zeros_like(p) for p in parameters]
    found = torch.autograd.grad(output, parameters, retain_graph=True, allow_unused=True)
    return [torch.zeros_like(p) if g is None else g.to_dense() for p, g in zip(parameters, found, strict=True)]


@contextlib.contextmanager
def quiet_vmap() -> Iterator[None]:
    """Without torch's remark that vmap loops over the samples for an operation it has no batched form of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        yield
