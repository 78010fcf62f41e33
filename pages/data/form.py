"""The form of an import: a file or a path, a name, and what images or texts need beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from ntkcore.analyses import imports
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DIMENSIONS, MOST_DIMENSIONS, Columns, TextWishes, check_server_path, holds_texts
from ntkcore.errors import AtlasError
from ntkcore.jobs import JobState
from pages.shared import uploads

_SIDES = {"auto": "as they are, at most 64 px", "32": "32 × 32", "64": "64 × 64", "96": "96 × 96", "128": "128 × 128"}
_TEXTS = ("csv", "tsv")
_WAYS = {"tfidf": "TF-IDF and SVD", "vectors": "mean of word vectors"}


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What was filled in.

    Attributes:
        upload, folder: the file uploaded, or the path on the server; at most one of them counts, the upload first.
        name: what to call the set.
        side: of images.
        texts: what is to become of texts; None for images.
        vectors: the word vectors uploaded, if any.
    """

    upload: Any
    folder: str
    name: str
    side: str
    texts: TextWishes | None
    vectors: Any

    @property
    def ready(self) -> bool:
        """Whether it can be sent."""
        return (self.upload is not None or bool(self.folder)) and bool(self.name)

    def send(self) -> JobState:
        """Ask for the import. Raises AtlasError: it cannot be had."""
        ws = workspace()
        path = imports.keep_upload(self.upload, self.upload.size, ws) if self.upload else Path(self.folder)
        texts = self.texts
        if texts is not None and self.vectors is not None:
            kept = imports.keep_upload(self.vectors, self.vectors.size, ws)
            texts = TextWishes(texts.columns, kept, texts.dimensions)
        return imports.request_import(
            path,
            self.name,
            int(self.side) if self.side != "auto" else "auto",
            ws,
            uploaded=self.upload is not None,
            texts=texts,
            vectors_uploaded=self.vectors is not None,
        )


def show() -> Form:
    """The form. What texts need stands there as soon as a file of texts is chosen."""
    ws = workspace()
    turn = st.session_state.get("import.count", 0)  # another key empties an uploader after an import
    limit = ws.settings.upload_limit // 2**20
    left, right = st.columns([3, 2], gap="medium")
    with left:
        upload = st.file_uploader(
            "Images: a zip with one folder per class, a Parquet file (image, label), or an npz (images, labels). "
            "Texts: a CSV or Parquet file (text, label). What has no label yet: a folder “unlabelled”, or an empty label",
            type=["zip", "parquet", "npz", *_TEXTS],
            max_upload_size=limit,
            key=f"upload-{turn}",
        )
        uploads.hold(upload)
        _refused()
        folder = ""
        if ws.settings.import_roots:
            folder = st.text_input(
                "… or a path on the server", key="folder", help="Inside: " + ", ".join(map(str, ws.settings.import_roots))
            )
    with right:
        given = Path(upload.name).stem if upload else Path(folder).name
        name = st.text_input("Name", value=given, key=f"name-{given}", max_chars=80).strip()
        if not _of_texts(upload, folder):
            side = st.selectbox("Size of the images", list(_SIDES), format_func=_SIDES.__getitem__, key="side")
            st.caption(
                "Images of different sizes are scaled so that the short side fits and cropped to the central square. "
                "Larger images cost more: the kernel's work grows with the pixels."
            )
            return Form(upload, folder, name, side, None, None)
        return _texts(upload, folder, name, limit, turn)


@st.fragment(run_every=2.0, key="refused")
def _refused() -> None:
    """That an upload was refused: the page is not run for one."""
    if uploads.refused():
        st.warning(uploads.too_much(workspace().settings.session_upload_bytes), icon=":material/warning:")


def _of_texts(upload: Any, folder: str) -> bool:
    if upload is not None:
        return holds_texts(upload, workspace().settings)
    if not folder:
        return False
    try:
        settings = workspace().settings
        return holds_texts(check_server_path(Path(folder), settings), settings)
    except AtlasError:
        return False  # said when it is sent


def _texts(upload: Any, folder: str, name: str, limit: int, turn: int) -> Form:
    how = st.segmented_control(
        "Each text becomes",
        list(_WAYS),
        format_func=_WAYS.__getitem__,
        required=True,
        default="tfidf",
        key="embedding",
    )
    vectors, on_server, dimensions = None, "", DIMENSIONS
    if how == "vectors":
        vectors = st.file_uploader(
            "Word vectors in GloVe’s text format: a word and its numbers in each line",
            type=["txt", "vec"],
            max_upload_size=limit,
            key=f"vectors-{turn}",
        )
        uploads.hold(vectors)
        if workspace().settings.import_roots:
            on_server = st.text_input("… or their path on the server", key="vectors_path").strip()
        st.caption(
            "Each text is the mean of its words’ vectors; texts without any known word are left out and listed. "
            f"A file of more than {limit} MB is given by its path, here or on the command line (--vectors)."
        )
    else:
        dimensions = int(st.number_input("Numbers for each text", 1, MOST_DIMENSIONS, DIMENSIONS, key="dimensions"))
        st.caption(
            "TF-IDF over the words of two texts or more, reduced by a truncated SVD of the whole set. Labels are not looked at; "
            "texts that are held out later are."
        )
    with st.popover("Columns", icon=":material/view_column:", key="columns"):
        text = st.text_input("Texts are in the column", placeholder="text, review, sentence or content", key="text_column")
        label = st.text_input("Labels are in the column", placeholder="label, sentiment, class or category", key="label_column")
    wishes = TextWishes(Columns(text, label), Path(on_server) if on_server and vectors is None else None, dimensions)
    without = how == "vectors" and vectors is None and not on_server
    return Form(upload, folder, "" if without else name, "auto", wishes, vectors)
