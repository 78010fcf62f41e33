"""What exhibits have in common."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import classes
from ntkcore.report.parts import LeftOut

MODE = "light"
"""Reports are on white paper."""
COUNT = 60
"""Images of a gallery at most."""
SEVERAL = LeftOut("Filters, lasso, likeness", "they choose among all images, which the report does not hold")


def rows_of(table: pd.DataFrame, images: Sequence[int] | np.ndarray, count: int = COUNT) -> pd.DataFrame:
    """The rows of these images, in their order."""
    return table.set_index("image", drop=False).loc[[int(image) for image in images[:count]]].reset_index(drop=True)


def held_out(result: InfluenceResult, images: Sequence[int], outputs: np.ndarray) -> pd.DataFrame:
    """A row for each of some held-out images: what it is, and what it is taken for.

    Args:
        outputs: (m, k) of all held-out images.
    """
    index = np.asarray(images[:COUNT], dtype=np.int64)
    names = result.class_names
    return pd.DataFrame(
        {
            "image": index,
            "id": [result.test_ids[image] for image in index],
            "label": [names[label] for label in result.test_labels[index]],
            "predicted": [names[place] for place in classes(outputs[index])],
        }
    )
