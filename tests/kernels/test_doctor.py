"""The doctor against matrices whose illness is known."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ntkcore.errors import Cancelled
from ntkcore.kernels import FallbackWarning, doctor
from ntkcore.kernels.doctor import KernelDoctor, batch_invariance, examine


def healthy(n=6, k=None, seed=0):
    shape = (n, 40) if k is None else (n, k, 40)
    jacobian = np.random.default_rng(seed).standard_normal(shape)
    return jacobian @ jacobian.T if k is None else np.einsum("iop,jqp->ijoq", jacobian, jacobian)


def test_a_healthy_kernel_has_no_findings():
    kernel = healthy()
    values = np.linalg.eigvalsh(kernel)
    found = examine(kernel)
    assert found.sound
    assert found.findings == ()
    assert (found.n, found.columns, found.outputs, found.dtype) == (6, 6, 1, "float64")
    assert (found.asymmetry, found.negative, found.jitter) == (0.0, False, 0.0)
    assert found.batch_invariance is None
    assert found.compression_error is None
    assert found.smallest == pytest.approx(values[0])
    assert found.largest == pytest.approx(values[-1])
    assert found.condition == pytest.approx(np.linalg.cond(kernel))
    share = values / values.sum()
    assert found.effective_rank == pytest.approx(np.exp(-(share * np.log(share)).sum()))


def test_a_full_kernel_is_judged_as_its_matrix():
    full = healthy(4, 3)
    matrix = full.transpose(0, 2, 1, 3).reshape(12, 12)
    found = examine(full.astype(np.float32))
    assert found.sound
    assert (found.n, found.columns, found.outputs, found.dtype) == (4, 12, 3, "float32")
    assert found.largest == pytest.approx(np.linalg.eigvalsh(matrix)[-1], rel=1e-5)
    # a mirrored block must be transposed itself
    full[1, 0] = full[0, 1]
    assert not examine(full).symmetric


@pytest.mark.parametrize("k", [None, 2])
def test_asymmetry_is_measured_and_said(k, monkeypatch):
    monkeypatch.setattr(doctor, "BLOCK", 8)  # several tiles
    kernel = healthy(5, k)
    kernel[3, 1] += 0.02
    matrix = kernel if k is None else kernel.transpose(0, 2, 1, 3).reshape(10, 10)
    found = examine(kernel)
    assert found.asymmetry == pytest.approx(np.abs(matrix - matrix.T).max() / np.abs(matrix).max())
    assert not found.sound
    assert any("not symmetric" in text for text in found.findings)
    kernel[3, 1] -= 0.02 - 1e-13
    assert examine(kernel).sound


def test_a_negative_eigenvalue_is_told_apart_from_rounding():
    vectors = np.linalg.qr(np.random.default_rng(0).standard_normal((5, 5)))[0]
    made = lambda smallest: vectors @ np.diag([smallest, 1.0, 2.0, 3.0, 4.0]) @ vectors.T  # noqa: E731
    ill = examine(made(-0.01), dtype="float32")
    assert ill.negative
    assert not ill.sound
    assert ill.condition == np.inf
    assert any("not a kernel" in text and "float64" in text for text in ill.findings)
    tiny = examine(made(-1e-8), dtype="float32")
    assert not tiny.negative
    assert tiny.sound  # a kernel to rounding, but with something to know
    assert any("lost in rounding" in text for text in tiny.findings)
    assert examine(made(-1e-8), dtype="float64").negative


def test_what_is_worth_knowing_is_said():
    kernel = healthy()
    wobbling = examine(kernel, batch_invariance=0.01)
    assert not wobbling.sound
    assert "evaluation mode" in wobbling.findings[0]
    assert examine(kernel, batch_invariance=1e-12).findings == ()
    fine, coarse = examine(kernel, compression_error=0.03), examine(kernel, compression_error=0.4)
    assert fine.sound
    assert "0.03" in fine.findings[0]
    assert not coarse.sound
    assert "too coarse" in coarse.findings[0]
    assert not examine(kernel, compression_error=np.nan).sound
    jittered = examine(kernel, jitter=1e-7)
    assert jittered.sound
    assert "1.0e-07" in jittered.findings[0]


def test_a_zero_kernel_and_a_single_sample():
    zero = examine(np.zeros((3, 3)))
    assert not zero.sound
    assert (zero.asymmetry, zero.effective_rank, zero.condition) == (0.0, 0.0, np.inf)
    assert len(zero.findings) == 1
    assert "zero" in zero.findings[0]
    one = examine([[2.0]])
    assert one.sound
    assert (one.smallest, one.largest, one.condition, one.effective_rank) == (2.0, 2.0, 1.0, 1.0)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_entries_that_are_not_finite_are_a_finding(bad):
    kernel = healthy()
    kernel[2, 4] = bad
    found = examine(kernel)
    assert not found.finite
    assert not found.sound
    assert not found.negative
    assert np.isnan([found.smallest, found.condition, found.asymmetry]).all()
    assert len(found.findings) == 1
    assert "NaN or infinite" in found.findings[0]


def test_known_eigenvalues_are_taken(monkeypatch):
    monkeypatch.setattr(doctor, "spectrum", None)
    kernel = healthy(3, 2)
    values = np.linalg.eigvalsh(kernel.transpose(0, 2, 1, 3).reshape(6, 6))
    assert examine(kernel, eigenvalues=values[::-1]).smallest == values[0]
    with pytest.raises(ValueError, match=r"\(6,\)"):
        examine(kernel, eigenvalues=values[:3])
    with pytest.raises(ValueError, match="as many columns"):
        examine(np.ones((2, 3)))


def test_waiting_reaches_the_decomposition(monkeypatch):
    monkeypatch.setattr("ntkcore.linalg.SMALL", 2)

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        examine(healthy(), waiting=cancel)


def test_the_document_is_strict_json_and_comes_back():
    cases = [examine(healthy()), examine(np.zeros((2, 2)), compression_error=0.5, jitter=1e-9, batch_invariance=np.inf)]
    cases += [examine(np.full((2, 2), np.nan)), replace(cases[0], jitter=np.float64(0.0), smallest=np.float64(1.0))]
    for case in cases:
        text = json.dumps(case.to_json(), allow_nan=False)
        again = KernelDoctor.from_json(json.loads(text))
        assert repr(again) == repr(replace(case, jitter=float(case.jitter), smallest=float(case.smallest)))  # NaN is not equal to itself


@pytest.mark.parametrize("outputs", ["pseudo", "first", "mean", "full"])
def test_a_network_in_evaluation_mode_is_batch_invariant(outputs):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 3)).eval()
    x = torch.rand(20, 1, 8, 8)
    assert batch_invariance(model, x, outputs) < 1e-5
    assert batch_invariance(model.double(), x.numpy(), outputs) < 1e-13
    assert batch_invariance(model, x[:1], outputs) == 0.0


class Mixing(nn.Module):
    """Adds to each sample a share of the batch's third and later ones, in batches of eight, at which the engine does not look."""

    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 2)

    def forward(self, x):
        out = torch.tanh(self.layer(x))
        return out + 0.5 * out[3:].sum(0) if len(x) == 8 else out


def test_a_layer_that_mixes_images_shows():
    torch.manual_seed(0)
    found = batch_invariance(Mixing(), torch.rand(9, 3), "pseudo")
    assert found > 0.01
    assert "evaluation mode" in examine(healthy(), batch_invariance=found).findings[0]


def test_a_network_without_gradients_and_the_slow_path_are_quiet():
    dead = nn.Sequential(nn.Linear(3, 4, bias=False), nn.ReLU(), nn.Linear(4, 2, bias=False))
    with torch.no_grad():
        for p in dead.parameters():
            p.zero_()
    assert batch_invariance(dead, torch.rand(9, 3), "full") == 0.0

    class Raised(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale, self.head = nn.Parameter(torch.ones(3)), nn.Linear(3, 2)

        def forward(self, x):
            return self.head(x**self.scale)

    with pytest.warns(FallbackWarning):
        doctor.empirical_ntk(Raised(), torch.rand(2, 3))
    assert batch_invariance(Raised(), torch.rand(9, 3), "pseudo") < 1e-5  # warnings are errors here
