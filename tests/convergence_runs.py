"""A comparison small enough to be made in a test."""

from ntkcore.specs.convergence import ConvergenceSpec

SPEC = ConvergenceSpec.model_validate(
    {
        "dataset": {"classes": ("3", "5", "8"), "n": 12, "label_noise": 0.1},
        "test": 9,
        "depth": 1,
        "widths": (6, 11),
        "seeds": 2,
        "looks": (0, 2, 3),
        "training": {"batch_size": 5, "learning_rate": 0.05},
        "dtype": "float64",
    }
)
