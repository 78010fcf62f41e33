"""What a learnability page shows of a result: curves and tables; all answer at once from a hot result."""

import io
import itertools
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ntkcore.analyses import confusion
from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.learnability.look import Look, Outcome
from ntkcore.analyses.learnability.result import LearnabilityResult
from ntkcore.analyses.materials.thumbnails import exported, thumbnails
from ntkcore.analyses.workspace import Workspace
from ntkcore.learnability import (
    GROUP_NAMES,
    Groups,
    correctness,
    diagonal_decay,
    envelope,
    error_norms,
    group_accuracy,
    group_error,
    group_mean,
    percentile,
)
from ntkcore.specs.learnability import LearnabilityView


@dataclass(frozen=True, slots=True)
class GroupCurves:
    """Curves of the three groups, rows in the order of ``GROUP_NAMES``.

    Attributes:
        sizes: images in each group, (3,).
        epochs: measured epochs, (T,).
        accuracy: share of correct images, (3, T).
        error: mean of ‖f - y‖, measured, (3, T).
        times: epochs at which the predictions are given, (S,), from the kernel's epoch on.
        diagonal: mean predicted error under the diagonal assumption (eq. 16), (3, S).
        full: the same under the whole kernel (eq. 17), (3, S), or None.
        lower, upper: mean envelope of eq. 15, (3, S).
    """

    sizes: np.ndarray
    epochs: np.ndarray
    accuracy: np.ndarray
    error: np.ndarray
    times: np.ndarray
    diagonal: np.ndarray
    full: np.ndarray | None
    lower: np.ndarray
    upper: np.ndarray


@dataclass(frozen=True, slots=True)
class ImageCurve:
    """One image through training: measured error per epoch, and its predictions from the kernel's epoch on."""

    epochs: np.ndarray
    error: np.ndarray
    correct: np.ndarray
    times: np.ndarray
    diagonal: np.ndarray
    full: np.ndarray | None


def group_of(chosen: Groups, image: int) -> str:
    """Name of the group an image is in."""
    return next(name for name, members in zip(GROUP_NAMES, chosen.members(), strict=True) if image in members)


def group_curves(look: Look) -> GroupCurves:
    """Measured and predicted curves of the three groups (Fig. 3, eqs. 15-17)."""
    result, chosen = look.result, look.groups
    times = result.times
    tau = (times - result.spec.kernel_epoch) * result.epoch_time
    start = _error_at_kernel(result)
    lower, upper = envelope(start, result.score, tau)
    return GroupCurves(
        sizes=np.array([len(members) for members in chosen.members()]),
        epochs=np.arange(len(result.outputs)),
        accuracy=group_accuracy(result.outputs, result.labels, chosen).T,
        error=group_error(result.outputs, result.targets, chosen).T,
        times=times,
        diagonal=group_mean(diagonal_decay(start, result.score, tau), chosen).T,
        full=None if result.full is None else group_mean(result.full, chosen).T,
        lower=group_mean(lower, chosen).T,
        upper=group_mean(upper, chosen).T,
    )


def image_curve(result: LearnabilityResult, image: int) -> ImageCurve:
    """One image's measured and predicted error through training."""
    outputs = result.outputs[:, image : image + 1]
    times = result.times
    tau = (times - result.spec.kernel_epoch) * result.epoch_time
    start = _error_at_kernel(result)[image : image + 1]
    return ImageCurve(
        epochs=np.arange(len(outputs)),
        error=error_norms(outputs, result.targets[image : image + 1])[:, 0],
        correct=correctness(outputs, result.labels[image : image + 1])[:, 0],
        times=times,
        diagonal=diagonal_decay(start, result.score[image : image + 1], tau)[:, 0],
        full=None if result.full is None else result.full[:, image],
    )


def missing_from(result: LearnabilityResult, view: LearnabilityView) -> str:
    """What a view names that the result does not have, in a sentence; "" when nothing."""
    n = len(result.score)
    beyond = sorted({i for i in (*view.picked, *view.basket, view.image, view.marked, view.like) if i is not None and i >= n})
    unknown = [name for name in view.only if name not in result.class_names]
    said = []
    if beyond:
        said.append(f"there is no image {beyond[0]:,} (there are {n:,}, from 0)")
    if unknown:
        said.append(f"there is no class {unknown[0]!r}")
    if confusion.missing(view.cell, result.class_names):
        said.append(f"there is no class of the number {max(view.cell or ())}")
    return f"Part of this address was left out: {' and '.join(said)}." if said else ""


def table(look: Look, images: Sequence[int] | np.ndarray) -> pd.DataFrame:
    """One row per image, in the order given: id, labels, prediction, score and what training made of it."""
    result, outcome = look.result, look.outcome
    index = np.asarray(images, dtype=np.int64)
    names = np.array(result.class_names, dtype=object)
    rank = np.empty(len(result.score), dtype=np.int64)
    rank[look.hardest_first] = np.arange(1, len(rank) + 1)
    learned = result.learned[index]
    return pd.DataFrame(
        {
            "image": index,
            "id": [result.ids[i] for i in index],
            "label": names[result.labels[index]],
            "true_label": names[result.true_labels[index]],
            "predicted": names[outcome.predicted[index]],
            "correct": outcome.correct[index],
            "k_xx": result.score[index],
            "percentile": outcome.percentile[index],
            "rank_hardest_first": rank[index],
            "learned_epoch": [None if np.isinf(epoch) else int(epoch) for epoch in learned],
            "final_error": outcome.error[index],
        }
    ).astype({"learned_epoch": "Int64"})


def curve_table(curves: GroupCurves) -> pd.DataFrame:
    """The group curves as one long table: group, quantity, epoch, value."""
    rows = []
    for row, group in enumerate(GROUP_NAMES):
        for name, at, values in (
            ("accuracy, measured", curves.epochs, curves.accuracy),
            ("error, measured", curves.epochs, curves.error),
            ("error, diagonal (eq. 16)", curves.times, curves.diagonal),
            ("error, full kernel (eq. 17)", curves.times, curves.full),
            ("error, lower envelope (eq. 15)", curves.times, curves.lower),
            ("error, upper envelope (eq. 15)", curves.times, curves.upper),
        ):
            if values is not None and curves.sizes[row]:
                rows.append(pd.DataFrame({"group": group, "quantity": name, "epoch": at, "value": values[row]}))
    return pd.concat(rows, ignore_index=True)


def percentile_span(look: Look, low: float, high: float) -> tuple[float, float] | None:
    """The percentiles of the images whose score lies in [low, high], or None when there is none."""
    score = look.result.score
    inside = look.outcome.percentile[(score >= low) & (score <= high)]
    return (float(inside.min()), float(inside.max())) if len(inside) else None


def error_percentile(outcome: Outcome, image: int) -> float:
    """Percentile (0 to 100) of one image's final error."""
    return float(percentile(outcome.error)[image])


def score_decimals(result: LearnabilityResult) -> int:
    """Decimals at which the scores of a result can be told apart: four digits of their spread."""
    spread = float(result.score.max() - result.score.min()) or abs(float(result.score[0])) or 1.0
    return int(np.clip(3 - np.floor(np.log10(spread)), 0, 8))


def jitter(result: LearnabilityResult) -> np.ndarray:
    """Offsets within ±0.35 epochs, the same every time, that keep points of one epoch apart in a chart, (n,)."""
    return np.random.default_rng(0).uniform(-0.35, 0.35, len(result.score))


def images_zip(look: Look, images: Sequence[int] | np.ndarray, ws: Workspace) -> bytes:
    """A zip of the images, one folder per class, with the table as ``images.csv``.

    Photographs are their originals, upright and without metadata; other images PNG; texts are as they are.

    Raises:
        DataError: an original that the set refers to is gone or has changed.
    """
    result = look.result
    pack = thumbnails(result.pack, result.spec.dataset, ws)
    buffer = io.BytesIO()
    rows = table(look, images)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # PNGs are compressed already
        files, folders = [], _folders(result.class_names)
        for image in images:
            folder = folders[result.labels[image]]
            content, ending = exported(pack, int(image), ws)
            files.append(f"{folder}/{image:06d}.{ending}")
            archive.writestr(files[-1], content)
        archive.writestr("images.csv", csv_of(rows.assign(file=files)))
    return buffer.getvalue()


def _folders(class_names: Sequence[str]) -> list[str]:
    """A folder's name for each class, with letters, digits, hyphens and blanks of its own, and none like another."""
    found: list[str] = []
    for name in class_names:
        kept = "".join(c if c.isalnum() or c in "-_ " else "_" for c in name).strip() or "class"
        alike = {folder.casefold() for folder in found}
        numbered = itertools.chain([kept], (f"{kept} ({number})" for number in itertools.count(2)))
        found.append(next(folder for folder in numbered if folder.casefold() not in alike))
    return found


def _error_at_kernel(result: LearnabilityResult) -> np.ndarray:
    return result.outputs[result.spec.kernel_epoch].astype(np.float64) - result.targets
