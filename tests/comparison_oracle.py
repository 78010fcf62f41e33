"""Everything a comparison says, computed again the slow way: explicit Jacobians, Kronecker products, NumPy's solvers, float64."""

import numpy as np
import torch

from ntkcore.analyses.materials.network import network, state_at
from ntkcore.data import load_dataset
from ntkcore.specs import RunSpec


def jacobians(module: torch.nn.Module, x: torch.Tensor) -> np.ndarray:
    """(n, k, P), one backward pass for every output of every sample."""
    rows = []
    for sample in x:
        outputs = module(sample[None])[0]
        rows.append(
            [
                torch.cat([g.flatten() for g in torch.autograd.grad(o, list(module.parameters()), retain_graph=True)]).numpy()
                for o in outputs
            ]
        )
    return np.array(rows)


def kernels(a: np.ndarray, b: np.ndarray) -> dict[str, np.ndarray]:
    """The four kernels of two Jacobians."""
    k = a.shape[1]
    full = np.einsum("iop,jqp->ijoq", a, b)
    pseudo = (a.sum(1) / np.sqrt(k)) @ (b.sum(1) / np.sqrt(k)).T
    return {"full": full, "pseudo": pseudo, "first": a[:, 0] @ b[:, 0].T, "mean": np.einsum("ijoo->ij", full) / k}


def matrix(kernel: np.ndarray, k: int) -> np.ndarray:
    """As an (n k) × (m k) matrix; a cheap kernel as its Kronecker product with the identity."""
    if kernel.ndim == 2:
        return np.kron(kernel, np.eye(k))
    n, m = kernel.shape[:2]
    return np.array([[kernel[i, j, o, p] for j in range(m) for p in range(k)] for i in range(n) for o in range(k)])


def compare(spec, ws, reporter) -> dict:
    """All numbers of a comparison in float64."""
    train = load_dataset(spec.dataset, ws.settings)
    n, k = train.n, train.outputs
    both = load_dataset(spec.dataset.model_copy(update={"n": n + spec.test, "label_noise": 0.0}), ws.settings)
    module = network(spec.model, train, ws)
    if spec.training is not None:
        run = RunSpec(dataset=spec.dataset, model=spec.model, training=spec.training)
        state_at(run, train, ws, reporter, "Training").load_into(module)
    inner = module.get_submodule("network").double()
    shape = (1, -1, 1, 1)
    x = (torch.from_numpy(both.inputs).double() - torch.tensor(train.mean.reshape(shape)).double()) / torch.tensor(
        train.std.reshape(shape)
    ).double()
    with torch.no_grad():
        f = inner(x).numpy()
    j = jacobians(inner, x)
    kk, kt = kernels(j[:n], j[:n]), kernels(j[n:], j[:n])
    y, labels = train.targets.astype(np.float64), both.true_labels[n:]
    theta = matrix(kk["full"], k)
    found: dict = {"spectra": {}, "rank": {}, "alignment": {}, "frobenius": {}, "pair_error": {}, "accuracy": {}, "outputs": {}}
    found["on"] = np.mean([[np.abs(np.diag(kk["full"][i, jj])).sum() for jj in range(n)] for i in range(n)])
    found["off"] = np.mean([[np.abs(kk["full"][i, jj]).sum() for jj in range(n)] for i in range(n)]) - found["on"]
    for form in ("full", "pseudo", "first"):
        values = np.linalg.eigvalsh(kk[form] if form != "full" else theta)
        share = values[values > 0] / values[values > 0].sum()
        found["spectra"][form], found["rank"][form] = values, np.exp(-(share * np.log(share)).sum())
        big = matrix(kk[form], k)
        found["alignment"][form] = y.reshape(-1) @ big @ y.reshape(-1) / (np.linalg.norm(big) * (y**2).sum())
        beta = np.linalg.solve(big + spec.ridge * np.eye(n * k), (y - f[:n]).reshape(-1))
        outputs = f[n:] + (matrix(kt[form], k) @ beta).reshape(-1, k)
        found["outputs"][form], found["accuracy"][form] = outputs, (outputs.argmax(1) == labels).mean()
        if form != "full":
            found["frobenius"][form] = np.linalg.norm(big - theta) / np.linalg.norm(theta)
            found["pair_error"][form] = np.mean(
                [
                    np.linalg.norm(kk[form][i, jj] * np.eye(k) - kk["full"][i, jj]) / np.linalg.norm(kk["full"][i, jj])
                    for i in range(n)
                    for jj in range(n)
                ]
            )
    found["accuracy"]["network"] = (f[n:].argmax(1) == labels).mean()
    full = found["outputs"]["full"]
    cheap = {form: found["outputs"][form] for form in ("pseudo", "first")}
    found["prediction_difference"] = {form: np.linalg.norm(o - full) / np.linalg.norm(full) for form, o in cheap.items()}
    found["agreement"] = {form: (o.argmax(1) == full.argmax(1)).mean() for form, o in cheap.items()}
    found["kernels"] = kk
    found["labels"] = train.labels
    return found
