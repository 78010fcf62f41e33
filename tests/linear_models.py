"""Models whose gradients are written down: linear ones, and a small network with its explicit Jacobian; float64."""

import numpy as np
import torch


def linear_model(n: int, k: int, blocks: bool, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients J as a matrix of a row for each sample and output (or sample, of a model alike for all outputs), its kernel, targets."""
    generator = np.random.default_rng(seed)
    side = n * k if blocks else n
    jacobian = generator.standard_normal((side, side + 20)) * np.geomspace(1, 1e-2, side + 20)
    kernel = jacobian @ jacobian.T
    if blocks:
        kernel = kernel.reshape(n, k, n, k).transpose(0, 2, 1, 3)
    return jacobian, kernel, generator.standard_normal((n, k))


def small_network(k: int) -> tuple[torch.nn.Module, torch.Tensor, np.ndarray, np.ndarray, np.ndarray]:
    """A network with a hidden layer, 20 + 8 samples, its explicit Jacobian ((n + m), k, P), its outputs, targets of the first 20."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(6, 9), torch.nn.ReLU(), torch.nn.Linear(9, k)).double()
    x = torch.randn(28, 6, dtype=torch.float64)
    parts = [torch.autograd.grad(output, list(model.parameters()), retain_graph=True) for output in model(x).flatten()]
    jacobian = torch.stack([torch.cat([part.flatten() for part in own]) for own in parts]).reshape(28, k, -1).numpy()
    with torch.no_grad():
        start = model(x).numpy()
    return model, x, jacobian, start, np.random.default_rng(1).standard_normal((20, k))
