"""The charts of the influence page through training: ranks, prediction and loss, label noise."""

import streamlit as st

from ntkcore.analyses.influence import paths
from ntkcore.analyses.influence.subject import Subject
from ntkcore.figures import influence as figures
from pages.influence.choice import inspect_clicked
from pages.shared import frame
from pages.shared.charts import chart
from pages.shared.waiting import waiting

Path = paths.Trajectory | paths.MeanTrajectory


def show_charts(subject: Subject) -> None:
    """Ranks over training time beside prediction and loss."""
    st.header("Through training", anchor=False)
    path, mode, result, now = path_of(subject), frame.mode(), subject.result, subject.view.time
    images = [int(i) for i in paths.leading(path, subject.values)]
    names = [f"{image}: {result.class_names[result.labels[image]]}" for image in images]
    left, right = st.columns(2, gap="large")
    with left:
        some = isinstance(path, paths.MeanTrajectory) and path.images < path.size
        over = f" Mean over {path.images:,} of the {path.size:,} images, evenly spread." if some else ""
        chart(
            "The most influential images, by rank",
            figures.bump_figure(path, paths.ranks(path), images, names, now, mode),
            key="bump",
            table=lambda: paths.path_table(path, images),
            note=f"Among all {len(subject.values):,} training images; 1 matters most. Click a line to look at its image closely.{over}",
            on_select=lambda: inspect_clicked("bump"),
            selection_mode="points",
        )
    with right:
        if isinstance(path, paths.MeanTrajectory):
            figure, title = figures.mean_figure(path, now, mode), "The group’s mean loss and error"
            note = "Dotted: the mean loss ½‖f − y‖². Solid: the share that is misclassified."
        else:
            truth = int(result.test_labels[subject.target])
            figure, title = figures.loss_figure(path, result.class_names, truth, now, mode), "This image’s prediction and loss"
            note = "Solid: outputs, its own class in full strength. Dotted: the loss ½‖f − y‖²."
        chart(title, figure, key="path", table=lambda: paths.path_table(path, images), note=note)


def path_of(subject: Subject) -> Path:
    """What is shown, through training; a group's takes a moment."""
    if not subject.group:
        return paths.trajectory(subject.look, subject.target)
    with waiting("The group through training") as tell:
        return paths.mean_trajectory(subject.look, subject.group, progress=tell)
