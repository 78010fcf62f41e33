"""Eigendecompositions that can be given up."""

import os
import time
from pathlib import Path

import numpy as np
import pytest

from ntkcore import linalg
from ntkcore.errors import Cancelled


@pytest.fixture
def matrix():
    factor = np.random.default_rng(0).standard_normal((60, 80))
    return factor @ factor.T


def test_in_a_process_of_its_own_it_gives_the_same_bytes(matrix, monkeypatch):
    here = linalg.eigh(matrix)
    monkeypatch.setattr(linalg, "SMALL", 10)
    there = linalg.eigh(matrix)
    for one, two in zip(here, there, strict=True):
        np.testing.assert_array_equal(one, two)
    values, vectors = here
    # backward stability of LAPACK: residual within n units of rounding of the norm
    assert np.abs(matrix @ vectors - vectors * values).max() <= 60 * np.finfo(float).eps * np.abs(values).max()


def test_eigenvalues_alone_are_those_of_the_decomposition_also_from_a_process(matrix, monkeypatch):
    here = linalg.eigvalsh(matrix)
    values = linalg.eigh(matrix)[0]
    # both are within n units of rounding of the norm of the truth
    np.testing.assert_allclose(here, values, rtol=0, atol=2 * 60 * np.finfo(float).eps * values[-1])
    assert (np.diff(here) >= 0).all()
    monkeypatch.setattr(linalg, "SMALL", 10)
    calls = []
    np.testing.assert_array_equal(linalg.eigvalsh(matrix, lambda: calls.append(1)), here)
    assert calls


def children():
    own = os.getpid()
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == own:
                found.append((folder / "cmdline").read_bytes())
        except (OSError, ValueError):
            continue
    return [command for command in found if b"spawn_main" in command]


@pytest.mark.parametrize("function", [linalg.eigh, linalg.eigvalsh])
def test_a_cancel_ends_it_and_leaves_nothing(function, matrix, monkeypatch, tmp_path):
    monkeypatch.setattr(linalg, "SMALL", 10)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)

    def cancel():
        raise Cancelled

    with pytest.raises(Cancelled):
        function(np.tile(matrix, (20, 20)), cancel)
    until = time.monotonic() + 60
    while children() and time.monotonic() < until:
        time.sleep(0.01)
    assert children() == []
    assert list(tmp_path.iterdir()) == []
