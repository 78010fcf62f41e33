"""Thumbnails of images that are looked at: those stored with a result, and those of a draw that nothing was computed of yet."""

import base64

import pandas as pd

from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, ThumbnailPack, bare_original, load_dataset, load_pool, open_pack, pool_size, thumbnail_pack
from ntkcore.specs import DatasetSpec


def thumbnails(pack: str, spec: DatasetSpec, ws: Workspace) -> ThumbnailPack:
    """The thumbnails of a draw by their id; encoded again from the data when the stored ones are gone."""
    found = open_pack(pack, ws.settings)
    return found if found is not None else _encoded(load_dataset(spec, ws.settings), ws)


def sample_thumbnails(spec: DatasetSpec, count: int, ws: Workspace, *, unlabelled: bool = False) -> ThumbnailPack:
    """Thumbnails of the first ``count`` images of a draw, kept hot: what a set looks like before anything is computed.

    Args:
        unlabelled: whether those that have no label yet are drawn, too; as many as there are, then.
    """

    def make() -> ThumbnailPack:
        if not unlabelled:
            return _encoded(load_dataset(spec, ws.settings, first=count), ws)
        size, _, _ = pool_size(spec, ws.settings)
        return _encoded(load_pool(spec.model_copy(update={"n": min(count, size)}), ws.settings), ws)

    key = ("thumbnails", spec.canonical(), count, unlabelled)
    pack = ws.hot.get(key, make, lambda pack: 64 * count)
    if open_pack(pack.id, ws.settings) is None:  # its file is gone, or damaged
        ws.hot.drop(key)
        pack = make()
    return pack


def _encoded(dataset: Dataset, ws: Workspace) -> ThumbnailPack:
    return thumbnail_pack(dataset.pixels, ws.settings, dataset.texts, dataset.origin)


def exported(pack: ThumbnailPack, image: int, ws: Workspace) -> tuple[bytes | str, str]:
    """What a file of an image holds, and how its name ends: its original, upright and without metadata, where there is one.

    Raises:
        DataError: an original that the set refers to is gone or has changed.
    """
    if (text := pack.text(image)) is not None:
        return text, "txt"
    if pack.origin is None:
        return pack.picture(image), "png"
    data, kind = bare_original(pack.origin, image, ws.settings)
    return data, "jpg" if kind == "image/jpeg" else "png"


def noun(pack: str, ws: Workspace) -> str:
    """What one thing of a pack is called: ``"image"`` or ``"text"``."""
    found = open_pack(pack, ws.settings)
    return "image" if found is None or not len(found) or found.text(0) is None else "text"


def with_texts(table: pd.DataFrame, pack: str, ws: Workspace) -> pd.DataFrame:
    """A table whose column ``image`` counts in a pack, with the texts themselves where these are texts, beside their names."""
    found = open_pack(pack, ws.settings)
    if found is None or noun(pack, ws) == "image":
        return table
    place = 1 + list(table.columns).index("id" if "id" in table.columns else "image")
    changed = table.copy()
    changed.insert(place, "text", [found.text(int(image)) for image in table["image"]])
    return changed


def data_address(picture: bytes) -> str:
    """A picture, a PNG or a JPEG, as an address that holds it."""
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return f"data:image/{kind};base64,{base64.b64encode(picture).decode()}"
