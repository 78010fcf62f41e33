"""The labels of a session as a table, and as a set of one's own."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from ntkcore.analyses.label.network import LabelNetwork, load_items
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, ImportReport, import_images, import_texts, own_originals
from ntkcore.errors import DataError
from ntkcore.library import Labels

_WORDS = {"label": "labelled", "cannot": "cannot tell", "skip": "skipped"}
_SOME = 64  # photographs held at once
_COLUMNS = ["item", "id", "label", "decision", "by", "when", "note"]


def labels_table(session: str, ws: Workspace, network: LabelNetwork | None = None) -> pd.DataFrame:
    """A row for each item that came with a label or of which something was decided.

    Args:
        network: of the session, for names; without it items and classes have their numbers.
    """
    standing = Labels(ws.library).standing(session)
    given = {} if network is None else {int(i): int(network.given[i]) for i in np.flatnonzero(network.given >= 0)}

    def name(label: int) -> str:
        return str(label) if network is None else network.class_names[label]

    rows = []
    for item in sorted(given.keys() | standing.current.keys() | standing.notes.keys()):
        now, note = standing.current.get(item), standing.notes.get(item)
        label = now.label if now is not None and now.deed == "label" else given.get(item) if now is None else None
        said = "came with it" if now is None and label is not None else "" if now is None else _WORDS.get(now.deed, now.deed)
        when = "" if now is None else datetime.fromtimestamp(now.made, UTC).isoformat(timespec="seconds")
        shown = "" if network is None or item >= network.n else network.ids[item]
        by, text = "" if now is None else now.author, "" if note is None else note.note
        rows.append((item, shown, "" if label is None else name(label), said, by, when, text))
    return pd.DataFrame(rows, columns=_COLUMNS)


def as_set(session: str, network: LabelNetwork, name: str, ws: Workspace) -> ImportReport:
    """A set of one's own of everything that has a label.

    Raises:
        DataError: too few labels; the set it is of is gone.
        StoreError: it cannot be written.
    """
    table = labels_table(session, ws, network)
    table = table[table["label"] != ""]
    if table.empty:
        raise DataError("Nothing has a label yet.", "Label some first.")
    items = load_items(network.spec.session, ws)
    chosen = table["item"].to_numpy()
    labels = np.array([network.class_names.index(label) for label in table["label"]])
    with tempfile.TemporaryDirectory() as folder:
        if items.texts is not None:
            path = Path(folder) / "labels.parquet"  # in which every text is as it was
            texts = [items.texts[item] for item in chosen]
            pd.DataFrame({"text": texts, "label": table["label"].to_numpy()}).to_parquet(path, index=False)
            return import_texts(path, ws.settings, name=name)
        if items.origin is not None:
            path = Path(folder) / "labels.parquet"
            write_photographs(path, items, chosen, table["label"].tolist(), ws)
            return import_images(path, ws.settings, name=name)
        path = Path(folder) / "labels.npz"
        np.savez(path, images=items.pixels[chosen], labels=np.array(network.class_names)[labels])
        return import_images(path, ws.settings, name=name)


def write_photographs(path: Path, items: Dataset, chosen: np.ndarray, labels: Sequence[str], ws: Workspace) -> None:
    """Write the originals with their labels as a Parquet file, a few at a time."""
    assert items.origin is not None
    read = own_originals(items.origin.content, ws.settings)
    kind = pa.schema([("image", pa.struct([("bytes", pa.binary()), ("path", pa.string())])), ("label", pa.string())])
    with pq.ParquetWriter(path, kind) as writer:
        for start in range(0, len(chosen), _SOME):
            some = chosen[start : start + _SOME]
            rows = [{"bytes": read(int(items.origin.positions[item])), "path": items.ids[item]} for item in some]
            writer.write_table(pa.table({"image": rows, "label": list(labels[start : start + _SOME])}, schema=kind))
