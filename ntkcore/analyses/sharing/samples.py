"""A table of images for other tools: Parquet, FiftyOne's samples and Label Studio's tasks, the scores as fields.

FiftyOne reads the unpacked zip by ``fiftyone.Dataset.from_json("samples.json", rel_dir=".")``. Label Studio imports the tasks as they are;
its labelling interface names ``$image`` (or ``$text``) and a ``Choices`` called ``label``.
"""

import io
import json
import math
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ntkcore.analyses import catalogue
from ntkcore.analyses.csv_text import csv_of
from ntkcore.analyses.materials.thumbnails import data_address, exported, thumbnails
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import ThumbnailPack, load_dataset
from ntkcore.errors import SpecError
from ntkcore.specs import Spec

OF_IMAGES = ("learnability", "influence", "information", "map", "duplicates")
"""Analyses whose table has a row for each image."""
FORMS = {"csv": "csv", "parquet": "parquet", "fiftyone": "zip", "label-studio": "json"}
"""What can be taken away, and how its file's name ends."""
_OWN = ("image", "id", "label", "predicted", "text")  # columns that have a place of their own
_RESERVED = ("filepath", "tags", "metadata", "created_at", "last_modified_at")  # fields that FiftyOne has


@dataclass(frozen=True, slots=True)
class Taken:
    """A table that is taken away.

    Attributes:
        title: what it is of.
        key: of the result.
        table: it.
        pack: thumbnails of its images; None where its rows are none.
    """

    title: str
    key: str
    table: pd.DataFrame
    pack: ThumbnailPack | None


def taken(name: str, spec: Spec, view: Spec, ws: Workspace) -> Taken:
    """The table of a stored result.

    Args:
        name: of the analysis.
        spec, view: of its page.

    Raises:
        AtlasError: it is not stored, damaged, or the view names what it has not.
    """
    analysis = catalogue.named(name)
    asked = analysis.asked(spec, view, ws)
    result = analysis.open(asked, ws)
    if problem := analysis.missing(result, view):
        raise SpecError(problem, "Choose something that is there.")
    pack = thumbnails(result.pack, asked.dataset, ws) if name in OF_IMAGES else None
    return Taken(analysis.title(asked, ws), analysis.key(asked, ws), analysis.table(result, view, ws), pack)


def pictured(name: str, spec: Spec, view: Spec, ws: Workspace) -> Taken:
    """The images that a stored result is of: its table, where that has a row for each; else their names and labels alone.

    Raises:
        SpecError: it is of no images. Else as :func:`taken`.
    """
    if name in OF_IMAGES:
        return taken(name, spec, view, ws)
    drawn = getattr(spec, "dataset", None)
    if drawn is None:
        raise SpecError("This analysis is of no set of images.", "Ask for its table.")
    analysis, data = catalogue.named(name), load_dataset(drawn, ws.settings)
    asked = analysis.asked(spec, view, ws)
    labels = [data.class_names[label] for label in data.labels]
    table = pd.DataFrame({"image": np.arange(len(labels)), "id": data.ids, "label": labels})
    return Taken(
        analysis.title(asked, ws), analysis.key(asked, ws), table, thumbnails(getattr(analysis.open(asked, ws), "pack", ""), drawn, ws)
    )


def written(form: str, found: Taken, ws: Workspace) -> bytes:
    """A file of one of :data:`FORMS`.

    Raises:
        SpecError: there is no such form, or the table is none of images.
    """
    if form == "csv":
        return csv_of(found.table).encode()
    if form == "parquet":
        buffer = io.BytesIO()
        found.table.to_parquet(buffer, index=False)
        return buffer.getvalue()
    if form not in FORMS:
        raise SpecError(f"There is no form {form[:40]!r}.", f"Choose one of: {', '.join(FORMS)}.")
    if found.pack is None:
        raise SpecError("The rows of this table are no images.", "Take it as CSV or Parquet.")
    return _fiftyone(found, found.pack, ws) if form == "fiftyone" else _label_studio(found, found.pack)


def _fiftyone(found: Taken, pack: ThumbnailPack, ws: Workspace) -> bytes:
    """A zip of ``samples.json`` and the images."""
    buffer, samples = io.BytesIO(), []
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:  # pictures are compressed already
        for row in rows(found.table):
            content, ending = exported(pack, int(row["image"]), ws)
            file = f"data/{int(row['image']):06d}.{ending}"
            archive.writestr(file, content)
            sample: dict[str, Any] = {"filepath": file, "tags": [name for name in ("flipped", "contradictory", "leak") if row.get(name)]}
            sample["metadata"] = None
            sample["source"] = row.get("id", "")
            for field, column in (("ground_truth", "label"), ("prediction", "predicted")):
                if column in row:
                    sample[field] = {"_cls": "Classification", "label": str(row[column])}
            samples.append(sample | {_field(name): value for name, value in row.items() if name not in _OWN})
        held = {"name": f"ntk-atlas-{found.key[:12]}", "media_type": "image", "num_samples": len(samples)}
        held |= {"info": {"title": found.title, "result": found.key}, "samples": samples}
        archive.writestr("samples.json", json.dumps(held, ensure_ascii=False, allow_nan=False))
    return buffer.getvalue()


def _label_studio(found: Taken, pack: ThumbnailPack) -> bytes:
    """Tasks that hold their thumbnails, or their texts, themselves."""
    tasks = []
    for row in rows(found.table):
        image = int(row["image"])
        text = pack.text(image)
        shown = {"image": data_address(pack.picture(image))} if text is None else {"text": text}
        told = str(row["predicted"] if "predicted" in row else row.get("label", ""))
        to = next(iter(shown))
        choice = {"from_name": "label", "to_name": to, "type": "choices", "value": {"choices": [told]}}
        fields = {name if name != "image" else "number": value for name, value in row.items() if name != "text"}
        tasks.append({"data": fields | shown, "predictions": [{"model_version": found.key[:12], "result": [choice]}]})
    return json.dumps(tasks, ensure_ascii=False, allow_nan=False).encode()


def rows(table: pd.DataFrame) -> Iterator[dict[str, Any]]:
    """Rows with values that JSON has: what is no number, or infinite, is null."""
    for row in table.to_dict("records"):
        yield {str(name): _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _field(name: str) -> str:
    """A column's name as FiftyOne takes it."""
    found = re.sub(r"\W", "_", name).strip("_") or "field"
    return f"{found}_" if found in _RESERVED else f"n{found}" if found[0].isdigit() else found
