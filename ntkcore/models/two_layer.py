"""The two-layer ReLU network of which IF-NTK's theorems speak: only its first layer is trained."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class TwoLayerReLU(nn.Module):
    """``f_o(x) = m^(-1/2) Σ_r a_or relu(w_r · x)`` with w_r ~ N(0, κ² I) trained and a_or = ±1 fixed (IF-NTK eqs. 1, 2).

    Takes (b, ...), flattened to (b, d); returns (b, k). For samples of length 1 its kernel tends to
    :func:`~ntkcore.kernels.relu.two_layer_relu_ntk` as the width m grows; κ does not enter the kernel. The source has one output; with
    k of them each has its own signs.
    """

    signs: Tensor

    def __init__(self, inputs: int, width: int, kappa: float = 0.01, seed: int = 0, *, outputs: int = 1) -> None:
        """Draw the weights.

        Args:
            inputs: d, numbers of a sample.
            width: m, hidden units.
            kappa: κ, standard deviation of each weight.
            seed: of the weights and the signs; equal seeds give equal networks.
            outputs: k.
        """
        super().__init__()
        if min(inputs, width, outputs) < 1 or not kappa > 0:
            raise ValueError(f"expected sizes of at least 1 and kappa > 0, got {inputs}, {width}, {outputs} and {kappa}")
        generator = torch.Generator().manual_seed(seed)
        self.hidden = nn.utils.skip_init(nn.Linear, inputs, width, bias=False)
        with torch.no_grad():
            self.hidden.weight.normal_(0.0, kappa, generator=generator)
        self.register_buffer("signs", 2.0 * torch.randint(0, 2, (outputs, width), generator=generator) - 1.0)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(torch.relu(self.hidden(x.flatten(1))), self.two_layer()[1])

    def two_layer(self) -> tuple[Tensor, Tensor]:
        """The trained weights (m, d) and the fixed ones (k, m), signs times m^(-1/2): the network is ``relu(x Wᵀ) Vᵀ``."""
        return self.hidden.weight, self.signs * self.signs.shape[1] ** -0.5
