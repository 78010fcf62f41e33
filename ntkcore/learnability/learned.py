"""The epoch at which a sample is learned for good."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def first_learned_epoch(correct: ArrayLike, epochs: ArrayLike) -> NDArray[np.float64]:
    """First recorded epoch from which a sample is correct at every record to the end.

    A sample that is wrong at the last record is not learned within the training: its epoch is ``inf`` (censored). In a
    rank correlation all such samples tie at the top, above every learned one, since all that is known is that they come later.

    Args:
        correct: ``(t, n)`` whether each prediction was right at each record.
        epochs: ``(t,)`` rising epochs of the records.

    Returns:
        ``(n,)`` epochs, or ``inf``.
    """
    right, recorded = np.asarray(correct, dtype=bool), np.asarray(epochs, dtype=np.float64)
    if right.ndim != 2 or recorded.shape != (len(right),) or len(right) == 0:
        raise ValueError(f"expected correct (t, n) and epochs (t,) with t > 0, got shapes {right.shape} and {recorded.shape}")
    if not (np.diff(recorded) > 0).all():
        raise ValueError("epochs: expected rising values")
    wrong_from_end = ~right[::-1]
    first = np.where(wrong_from_end.any(axis=0), len(right) - wrong_from_end.argmax(axis=0), 0)  # the record after the last wrong one
    return np.append(recorded, np.inf)[first]
