"""Images to train on, and images held out from the same draw."""

from dataclasses import dataclass

import numpy as np

from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, Origin, load_dataset, load_held_out, thumbnail_pack
from ntkcore.errors import DataError, SpecError
from ntkcore.specs import DatasetSpec


@dataclass(frozen=True, slots=True)
class Split:
    """A training set and what is held out.

    Attributes:
        train: the images to train on, with their label noise.
        test_inputs: (m, ...) the images held out from them, as raw as ``train.inputs``.
        test_labels: (m,) their true labels, positions in ``train.class_names``.
        test_pixels: uint8 (m, h, w) or (m, h, w, 3), for display.
        test_ids: their stable names.
        pack: id of the training images' thumbnails.
        test_texts: what a reader sees of them, if they are texts.
        test_origin: where their originals are, if they are photographs.
        test_places: (m,) where they are in the set.
    """

    train: Dataset
    test_inputs: np.ndarray
    test_labels: np.ndarray
    test_pixels: np.ndarray
    test_ids: tuple[str, ...]
    pack: str
    test_texts: tuple[str, ...] | None = None
    test_origin: Origin | None = None
    test_places: np.ndarray | None = None


def targets_of(labels: np.ndarray, outputs: int) -> np.ndarray:
    """float64 (m, outputs): what :attr:`ntkcore.data.Dataset.targets` are, of any labels."""
    return 2.0 * labels[:, None] - 1.0 if outputs == 1 else np.eye(outputs)[labels]


def load_split(spec: DatasetSpec, test: int, ws: Workspace) -> Split:
    """The images of ``spec``, and ``test`` images held out from them.

    Of a part of a divided set, the others are held out; else they are those that follow in its draw, which is nested: one of n + m
    images begins with the n of the draw of n. Label noise concerns the training images alone. A network for both is normalised by the
    training images' statistics.

    Raises:
        AtlasError: as :func:`~ntkcore.data.load_dataset`; DataError when there are too few images for both.
    """
    train = load_dataset(spec, ws.settings)
    held = _held_out(spec, test, ws, None)
    pack = thumbnail_pack(train.pixels, ws.settings, train.texts, train.origin).id
    return Split(train, held.inputs, held.true_labels, held.pixels, held.ids, pack, held.texts, held.origin, held.places)


def check_split(spec: DatasetSpec, test: int, ws: Workspace) -> None:
    """Does nothing if :func:`load_split` can have its images; costs little. Raises as it does."""
    load_dataset(spec, ws.settings, first=1)
    _held_out(spec, test, ws, 1)


def _held_out(spec: DatasetSpec, test: int, ws: Workspace, first: int | None) -> Dataset:
    """What is held out; the training images are known to be possible, so what fails here is the number of images."""
    try:
        return load_held_out(spec, test, ws.settings, first=first)
    except DataError as error:
        if spec.part:
            raise
        raise DataError(
            f"There are not {spec.n:,} images to train on and {test:,} more to hold out. {error.message}",
            f"That is for both together. {error.remedy}",
        ) from error


def require_classes(dataset: Dataset) -> None:
    """Refuse data whose network has one output.

    Raises:
        SpecError: with what to choose instead.
    """
    if dataset.outputs == 1:
        raise SpecError(
            "Two classes have one output, for which pseudo-NTK, first-logit and full kernel are the same.",
            "Choose three classes or more.",
        )
