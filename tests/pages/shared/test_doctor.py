"""The doctor's line and its numbers: what a reader sees of an examination."""

import math

import numpy as np
import pytest

from ntkcore.kernels.doctor import examine
from pages.shared import words
from pages.shared.doctor import _numbers, line


def test_a_sound_kernel_in_a_line():
    doctor = examine(np.diag([4.0, 2.0, 1.0]), batch_invariance=0.0)
    assert line(doctor, "Kernel") == "Kernel sound: symmetric, λₘᵢₙ 1, effective rank 2.6, condition 4, float64"
    assert line(doctor, "Kernel", short=True) == "Kernel sound"


def test_what_is_wrong_is_in_the_line():
    lopsided = np.eye(3)
    lopsided[0, 1] = 0.5
    assert line(examine(lopsided), "Full kernel").startswith("Full kernel not sound, 1 remark: not symmetric")
    assert "no condition number" in line(examine(np.ones((3, 3), dtype=np.float32)), "Kernel")
    assert "not finite" in line(examine(np.full((2, 2), np.nan)), "Kernel")


def test_every_number_has_a_name_and_a_sentence():
    doctor = examine(np.eye(4), batch_invariance=1e-8, compression_error=0.02, jitter=1e-6)
    rows = _numbers(doctor)
    assert {"Batches", "Compression", "Jitter"} <= {row[0] for row in rows}
    assert all(value and why.endswith((".", "?")) for _, value, why in rows)
    assert "Compression" not in {row[0] for row in _numbers(examine(np.eye(4)))}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.042, "0.042"), (1234.5, "1230"), (81234.0, "8.12·10⁴"), (3.2e-4, "0.00032"), (4.1e-5, "4.1·10⁻⁵"), (-0.5, "−0.5"), (0.0, "0"),
        (-2e-12, "−2·10⁻¹²"), (math.inf, "∞"), (-math.inf, "−∞"), (math.nan, "–"), (None, "–"),
    ],
)  # fmt: skip
def test_numbers_as_a_person_writes_them(value, text):
    assert words.number(value) == text


def test_two_digits_of_thousands_are_thousands():
    assert words.number(2140.0, 2) == "2100"
