"""From the folders of an archive to classes: one folder each, below those that all images share; what else they may mean is refused.

A division into training and held-out images is kept: folders above those of the classes (``train/cat``, ``val/cat``), or the beginnings
of the files' names (``cat/train_1.jpg``, ``cat/val_1.jpg``).
"""

import itertools
import re
from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from ntkcore.data.filenames import clean_class_names, escaped, natural_key, shown
from ntkcore.data.import_common import EncodedImages, FoundFiles, read_each, unique_ids
from ntkcore.data.selection import UNLABELLED
from ntkcore.errors import DataError

Paths = list[tuple[str, ...]]

_TRAINING = {"train", "training"}
_UNLABELLED = {"unlabeled", "unlabelled"}
_HELD_OUT = {"test", "testing", "val", "valid", "validation", "dev", "eval", "evaluation", "holdout"} | _UNLABELLED
_BESIDE = re.compile(r"(?<=[a-z])(sets?|data|dataset|images?|imgs?|split)$|\d+$")  # trainset, test_images, train2017
_BESIDE_ALONE = {"set", "data", "dataset", "images", "image", "imgs", "img", "split", "seg", "folder", "part"}
_BEGINNING = re.compile(r"([a-z]+)\d*[-_. ]", re.IGNORECASE)  # of a file's name that may say its part
_LISTED = 10  # folders in a message


def sort_into_classes(found: FoundFiles, loose: str = "") -> EncodedImages:
    """Images in their classes: one folder per class, below any folders that all of them share; those in ``unlabelled`` have no label yet.

    Folders within a class folder belong to its class, which the notes say.

    Args:
        found: the files.
        loose: the class of images that lie in no folder at all; "" where they have none.

    Raises:
        DataError: no images, images outside of a class folder, training and test images without class folders, folders of which it is
            unclear what is a class, or class names too alike.
    """
    if not found.parts:
        left = f" ({len(found.skipped)} other files were skipped, such as {shown(found.skipped[0])})" if found.skipped else ""
        raise DataError(f"There are no images in {found.where}{left}.", "Give it one folder per class, with PNG or JPEG images inside.")
    order = sorted(range(len(found.parts)), key=lambda i: [natural_key(part) for part in found.parts[i]])
    parts = [found.parts[i] for i in order]
    for before, after in itertools.pairwise(parts):
        if before == after:
            raise DataError(f"{shown('/'.join(after))} is in {found.where} twice.", "Remove one of the two, then import again.")
    if loose and all(len(path) == 1 for path in parts):
        parts = [(loose, *path) for path in parts]
    shared = _shared_folders(parts)
    parts = [path[shared:] for path in parts]
    ids = unique_ids([escaped("/".join(path)) for path in parts])
    divided = _divided(parts)
    if divided:
        parts = [path[1:] for path in parts]
        shared = _shared_folders(parts)
        parts = [path[shared:] for path in parts]
    inner = _folders(parts)
    folders = tuple(inner)
    _refuse_loose(parts, inner)
    _refuse_division(folders, inner)
    _refuse_merging(parts, inner)
    classes = tuple(folder for folder in folders if _word(folder) not in _UNLABELLED)
    label = dict.fromkeys(folders, UNLABELLED) | {folder: i for i, folder in enumerate(classes)}
    return EncodedImages(
        ids=ids,
        labels=np.array([label[path[0]] for path in parts], np.int64),
        class_names=clean_class_names(classes),
        items=partial(read_each, [found.readers[i] for i in order]),
        skipped=tuple(found.skipped),
        notes=tuple(_inner_note(inner)),
        parts=divided or _parts_by_beginning(parts),
        root=found.root,
        paths=tuple(found.places[i] for i in order) if found.root else (),
    )


def part_word(name: str) -> str:
    """Which part of a division a file's name begins with, ``"train"`` of ``train-00000-of-00002``; "" for none."""
    begun = _BEGINNING.match(f"{name} ")
    return begun[1].casefold() if begun and _division(begun[1]) else ""


def training_part(parts: Sequence[str]) -> str:
    """The part of a division that calls itself training, "" where none does, or several do."""
    found = [part for part in parts if _division(part) == "training"]
    return found[0] if len(found) == 1 else ""


def _divided(parts: Paths) -> tuple[str, ...]:
    """The part that each image belongs to by its first folder, where all of these are parts with folders in them; else ()."""
    folders = {path[0] for path in parts}
    if len(folders) < 2 or not all(_division(folder) and _word(folder) not in _UNLABELLED for folder in folders):
        return ()
    return tuple(escaped(path[0]) for path in parts) if all(len(path) > 2 for path in parts) else ()


def _parts_by_beginning(parts: Paths) -> tuple[str, ...]:
    """The part that each image belongs to by its file's name, where every name says one, and they say training and held out; else ()."""
    words = [part_word(path[-1]) for path in parts]
    return tuple(words) if {_division(word) for word in set(words)} == {"training", "held out"} else ()


def _shared_folders(parts: Paths) -> int:
    """How many leading folders all images share, leaving at least one folder to be the class."""
    shared = 0
    while all(len(path) > shared + 2 for path in parts) and len({path[shared] for path in parts}) == 1:
        shared += 1
    return shared


def _refuse_loose(parts: Paths, inner: dict[str, tuple[str, ...]]) -> None:
    loose = next((path for path in parts if len(path) < 2), None)
    if loose is not None:
        raise DataError(f"The image {shown('/'.join(loose))} is not in a class folder.", "Put every image into the folder of its class.")
    if len(inner) == 1:  # the folder that all share, where one image lies beside the class folders
        loose = next((path for path in parts if len(path) == 2), None)
        (beside,) = inner.values()
        if loose is not None and beside:
            raise DataError(
                f"The image {shown('/'.join(loose))} is not in a class folder, but beside {_listed(beside)}.",
                "Put every image into the folder of its class, or remove it.",
            )


def _refuse_division(folders: tuple[str, ...], inner: dict[str, tuple[str, ...]]) -> None:
    """Refuse training and test images beside each other, with or without folders of classes in them."""
    words = {folder: _division(folder) for folder in folders}
    every = len(folders) > 1 and all(words.values())
    both = {"training", "held out"} <= set(words.values())
    if not every and not both:
        return
    divided = tuple(folder for folder, word in words.items() if word)
    if any(inner[folder] for folder in divided):
        remedy = "Import one of these folders" + ("." if all(inner[folder] for folder in divided) else ", one with class folders in it.")
    else:
        remedy = "Sort the images into one folder per class, then import those of one part."
    raise DataError(f"The folders {_listed(divided)} look like a division into training and test images, not like classes.", remedy)


def _refuse_merging(parts: Paths, inner: dict[str, tuple[str, ...]]) -> None:
    """Refuse class folders that seem to hold classes themselves: images beside several folders, or folders named like another class."""
    with_images = {path[0] for path in parts if len(path) == 2}
    for folder, names in inner.items():
        other = [name for name in names if name != folder and name in inner]
        if other:
            raise DataError(
                f"{shown(other[0])} is a class folder, and a folder within {shown(folder)} too.",
                "Put all images of a class into one folder, all class folders beside each other.",
            )
        if folder in with_images and len(names) > 1:
            raise DataError(
                f"The folder {shown(folder)} holds images beside the folders {_listed(names)}: it is unclear which of them are classes.",
                "Put these folders beside the other class folders, or all their images into one.",
            )


def _inner_note(inner: dict[str, tuple[str, ...]]) -> Iterator[str]:
    within = [f"{escaped(folder)} ({_listed(names)})" for folder, names in inner.items() if names]
    if within:
        yield f"Folders within a class folder are of its class: {'; '.join(within[:5])}{'; …' if len(within) > 5 else '.'}"


def _folders(parts: Paths) -> dict[str, tuple[str, ...]]:
    """The class folders, and the folders with images within each."""
    found: dict[str, set[str]] = {}
    for path in parts:
        if len(path) > 1:
            within = found.setdefault(path[0], set())
            if len(path) > 2:
                within.add(path[1])
    return {folder: tuple(sorted(found[folder], key=natural_key)) for folder in sorted(found, key=natural_key)}


def _division(folder: str) -> str:
    """Which part of a division a folder calls itself, "" for none; ``train_images`` and ``ValidationSet2`` do, too."""
    word = _word(folder)
    return "training" if word in _TRAINING else "held out" if word in _HELD_OUT else ""


def _word(folder: str) -> str:
    """What a folder's name comes down to, "" for several words."""
    pieces = [piece for piece in re.split(r"[^a-z0-9]+", folder.casefold()) if piece and not piece.isdigit()]
    words = {_BESIDE.sub("", _BESIDE.sub("", piece)) for piece in pieces if piece not in _BESIDE_ALONE}
    return words.pop() if len(words) == 1 else ""


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(escaped(name) for name in names[:_LISTED]) + (" …" if len(names) > _LISTED else "")
