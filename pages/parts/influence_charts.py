"""The charts of the influence page: through training, label noise, groups."""

import numpy as np
import streamlit as st

from ntkcore.analyses import influence_views as views
from ntkcore.analyses.influence import InfluenceResult
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures import influence as figures
from ntkcore.specs import InfluenceView
from pages.parts import frame
from pages.parts.charts import chart


def show_charts(result: InfluenceResult, view: InfluenceView, target: int, values: np.ndarray) -> None:
    """All of them."""
    ws, mode = workspace(), frame.mode()
    path = views.trajectory(result, view.ridge, target, ws)
    images = views.leading(path, values)
    names = [f"{image}: {result.class_names[result.labels[image]]}" for image in images]
    st.header("Through training", anchor=False)
    left, right = st.columns(2, gap="large")
    with left:
        chart(
            "The most influential images, by rank",
            figures.bump_figure(path, views.ranks(path), images, names, view.time, mode),
            key="bump",
            table=lambda: views.path_table(path, [int(i) for i in images]),
            note=f"Among all {len(values):,} training images; 1 moves this prediction most. Number and class of each.",
        )
    with right:
        chart(
            "This image’s prediction and loss",
            figures.loss_figure(path, result.class_names, int(result.test_labels[target]), view.time, mode),
            key="path",
            table=lambda: views.path_table(path, [int(i) for i in images]),
            note="Solid: outputs, its own class in full strength. Dotted: the loss ½‖f − y‖².",
        )
    noisy = (result.labels != result.true_labels).any()
    left, right = st.columns(2, gap="large")
    with left:
        groups = _groups(result, view)
        if groups is not None:
            chart(
                "Complexity of ten groups of training images",
                figures.complexity_figure(groups, mode),
                key="complexity",
                table=lambda: views.group_table(groups),
                note="How much of the targets’ norm in the kernel’s space a group asks for (eq. 19); in the paper the ends stand out.",
            )
    with right:
        if noisy:
            noise = views.noise_share(result, view.ridge, ws)
            chart(
                "Flipped labels among the most influential images",
                figures.noise_figure(noise, view.time, mode),
                key="noise",
                table=lambda: views.noise_table(noise),
                note=f"Mean over held-out images, of the {views.INFLUENTIAL} most influential of each (Fig. 7).",
            )
        else:
            st.subheader("Label noise", anchor=False)
            st.caption("Flip some labels under the data set above, and see here when the network begins to follow them.")


def _groups(result: InfluenceResult, view: InfluenceView) -> np.ndarray | None:
    """The groups' complexities, or why there are none here, said."""
    try:
        return views.complexities(result, view.ridge, workspace())[0]
    except AtlasError as error:
        st.subheader("Complexity of ten groups of training images", anchor=False)
        frame.show_error(error)
        return None
