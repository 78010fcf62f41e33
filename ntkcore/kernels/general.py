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
        """Precision of the parameters' real numbers."""
        return self._like().dtype.to_real()

    def size(self) -> int:
        """P of these parameters."""
        return sum(self.sizes())

    def sizes(self) -> list[int]:
        """Of each of these parameters."""
        return list(map(numbers_of, self._parameters()))

    def gradients(self, x: Tensor, seeds: Tensor) -> Tensor:
        """(s, b, P) gradients of the combinations ``seeds`` (s, k) of outputs for ``x`` (b, ...)."""
        if self.one_by_one:
            return torch.stack([self._single(sample, seeds) for sample in x], 1)
        chosen = {name: p.detach() for name, p in zip(self.names, self._parameters(), strict=True)}
        rest, tied = self._places(set(self.names))

        def output(parameters: dict[str, Tensor], sample: Tensor) -> Tensor:
            swapped = {place: parameters[name] for place, name in tied.items()}
            result: Tensor = functional_call(self.model, {**rest, **swapped}, (sample.unsqueeze(0).clone(),), tie_weights=False)
            return seeds @ result[0]

        with torch.no_grad(), quiet_vmap():
            jacobian = vmap(jacrev(output), in_dims=(None, 0))(chosen, x)
        return torch.cat([reals(jacobian[name]).flatten(2) for name in self.names], -1).transpose(0, 1)

    def _places(self, chosen: set[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
        """Each place of each module once, however many names the module has: with another parameter's values, or the name of a chosen
        one that belongs there."""
        names = {id(p): name for name, p in self.model.named_parameters()}
        rest, tied = {}, {}
        for prefix, module in self.model.named_modules():
            for local, p in module.named_parameters(prefix, recurse=False, remove_duplicate=False):
                if names[id(p)] in chosen:
                    tied[local] = names[id(p)]
                else:
                    rest[local] = p.detach()
        return rest, tied

    def squared_norms(self, x: Tensor) -> Tensor:
        """(k, b) float64."""
        like = self._like()
        eye = torch.eye(self.outputs, dtype=self.dtype, device=like.device)
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
        return 1 if self.one_by_one else rows_within(self._like(), count * (self.size() + self.activations))

    def by_parameter(self, x: Tensor, seeds: Tensor) -> dict[str, Tensor]:
        """:meth:`gradients` (s, b, P) of each parameter by its name."""
        parts = self.gradients(x, seeds).split(self.sizes(), -1)
        return dict(zip(self.names, parts, strict=True))

    def _parameters(self) -> list[nn.Parameter]:
        held = dict(self.model.named_parameters())
        return [held[name] for name in self.names]

    def _like(self) -> nn.Parameter:
        return self._parameters()[0]

    def _single(self, sample: Tensor, seeds: Tensor) -> Tensor:
        parameters = self._parameters()
        scalars = seeds @ self.model(sample.unsqueeze(0).clone())[0]  # it may change what it is given
        return torch.stack([torch.cat([g.flatten() for g in plain_gradients(scalar, parameters)]) for scalar in scalars])


def numbers_of(parameter: Tensor) -> int:
    """Real numbers in it."""
    return parameter.numel() * (2 if parameter.is_complex() else 1)


def reals(gradient: Tensor) -> Tensor:
    """A gradient as real numbers: of a complex parameter, those of the real and the imaginary parts."""
    return torch.view_as_real(gradient.resolve_conj()) if gradient.is_complex() else gradient


def plain_gradients(output: Tensor, parameters: list[nn.Parameter]) -> list[Tensor]:
    """Plain autograd: the gradient of one number with respect to each parameter, in real numbers, zeros where it does not depend on it."""
    if not output.requires_grad:
        return [reals(torch.zeros_like(p)) for p in parameters]
    found = torch.autograd.grad(output, parameters, retain_graph=True, allow_unused=True)
    return [reals(torch.zeros_like(p) if g is None else g.to_dense()) for p, g in zip(parameters, found, strict=True)]


@contextlib.contextmanager
def quiet_vmap() -> Iterator[None]:
    """Without torch's remark that vmap loops over the samples for an operation it has no batched form of."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        yield
