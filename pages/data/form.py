"""The form of an import: files or a path, a name, and what images or texts need beside it; and a look into them before."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from ntkcore.analyses import imports
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DIMENSIONS, MOST_DIMENSIONS, Columns, OwnSet, TextWishes, check_server_path, holds_texts, own_sets
from ntkcore.errors import AtlasError
from ntkcore.jobs import JobState
from pages.shared import disk, uploads

_TEXTS = ("csv", "tsv")
_WAYS = {"tfidf": "TF-IDF and SVD", "vectors": "mean of word vectors"}
_KEPT = "import.kept"


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """What was filled in.

    Attributes:
        uploads, folder: the files uploaded, or the path on the server; the uploads count first.
        name: what to call the set; "" while something is missing.
        refer: whether photographs of a folder stay where they are.
        more: id of the set that they are added to, or None.
        texts: what is to become of texts; None for images.
        vectors: the word vectors uploaded, if any.
    """

    uploads: tuple[Any, ...]
    folder: str
    name: str
    refer: bool
    more: str | None
    texts: TextWishes | None
    vectors: Any

    @property
    def chosen(self) -> bool:
        """Whether there is something to look into."""
        return bool(self.uploads or self.folder)

    @property
    def ready(self) -> bool:
        """Whether it can be sent."""
        return self.chosen and bool(self.name)

    @property
    def identity(self) -> tuple[object, ...]:
        """What a look into it is of."""
        columns = self.texts.columns if self.texts else None
        return (*(file.file_id for file in self.uploads), self.folder if not self.uploads else "", self.more, columns)

    def look(self) -> JobState:
        """Ask what it would become. Raises AtlasError: it cannot be read."""
        return imports.request_preview(
            self._paths(), workspace(), uploaded=bool(self.uploads), names=self._names, more=self.more, texts=self.texts
        )

    def send(self) -> JobState:
        """Ask for the import. Raises AtlasError: it cannot be had."""
        ws, texts = workspace(), self.texts
        if texts is not None and self.vectors is not None:
            kept = imports.keep_upload(self.vectors, self.vectors.size, ws)
            texts = TextWishes(texts.columns, kept, texts.dimensions)
        job = imports.request_import(
            self._paths(),
            self.name,
            "auto",
            ws,
            uploaded=bool(self.uploads),
            names=self._names,
            refer=self.refer,
            more=self.more,
            texts=texts,
            vectors_uploaded=self.vectors is not None,
        )
        st.session_state.pop(_KEPT, None)  # the import deletes them
        return job

    @property
    def _names(self) -> tuple[str, ...]:
        return tuple(file.name for file in self.uploads)

    def _paths(self) -> list[Path]:
        """Where the files lie: uploads are written to the disk once, for the look and the import."""
        if not self.uploads:
            return [Path(self.folder)]
        ids = tuple(file.file_id for file in self.uploads)
        held = st.session_state.get(_KEPT)
        if held is None or held[0] != ids or not all(path.exists() for path in held[1]):
            held = st.session_state[_KEPT] = (ids, [imports.keep_upload(file, file.size, workspace()) for file in self.uploads])
        paths: list[Path] = held[1]
        return paths


def show() -> Form:
    """The form. What texts need stands there as soon as a file of texts is chosen."""
    ws = workspace()
    turn = st.session_state.get("import.count", 0)  # another key empties an uploader after an import
    limit = ws.settings.upload_limit // 2**20
    left, right = st.columns([3, 2], gap="medium")
    with left:
        files = st.file_uploader(
            "Images: a zip with one folder per class, below folders train and val if it is divided, or with a table (path, label); "
            "Parquet files (image, label); or an npz (images, labels). Several files become one set. "
            "Texts: a CSV or Parquet file (text, label). What has no label yet: a folder “unlabelled”, or an empty label",
            type=["zip", "parquet", "npz", *_TEXTS],
            max_upload_size=limit,
            accept_multiple_files=True,
            key=f"upload-{turn}",
        )
        for file in files:
            uploads.hold(file)
        _refused()
        disk.show()
        folder = ""
        if ws.settings.import_roots:
            folder = st.text_input(
                "… or a path on the server", key="folder", help="Inside: " + ", ".join(map(str, ws.settings.import_roots))
            ).strip()
    with right:
        more = _more()
        given = more.name if more else Path(files[0].name).stem if files else Path(folder).name
        name = st.text_input("Name", value=given, key=f"name-{given}", max_chars=80).strip()
        if more is None and _of_texts(files, folder):
            return _texts(tuple(files), folder, name, limit, turn)
        refer = False
        if folder and not files:
            refer = st.checkbox(
                "Leave the photographs where they are",
                value=True,
                key="refer",
                help="The set then refers to the files by path and content, and says which of them is gone or has changed. Else it keeps "
                "copies of them.",
            )
        st.caption(
            "Photographs keep their originals: each analysis chooses the size at which the network sees them. What is shown and exported "
            "is upright and has no metadata, such as places."
        )
        return Form(tuple(files), folder, name, refer, more.content_id if more else None, None, None)


def _more() -> OwnSet | None:
    """The set that images are added to, if any."""
    mine = {item.content_id: item for item in own_sets(workspace().settings) if item.kind == "images" and not item.problem}
    if not mine:
        return None
    chosen = st.selectbox(
        "Together with",
        ["", *mine],
        format_func=lambda own: mine[own].name if own else "nothing: a set of its own",
        key="more",
        help="Images that are added to a set make a new version of it; the old one stays what it was.",
    )
    return mine.get(chosen)


@st.fragment(run_every=2.0, key="refused")
def _refused() -> None:
    """That an upload was refused: the page is not run for one."""
    if uploads.refused():
        st.warning(uploads.too_much(workspace().settings.session_upload_bytes), icon=":material/warning:")


def _of_texts(files: list[Any], folder: str) -> bool:
    if files:
        return len(files) == 1 and holds_texts(files[0], workspace().settings)
    if not folder:
        return False
    try:
        settings = workspace().settings
        return holds_texts(check_server_path(Path(folder), settings), settings)
    except AtlasError:
        return False  # said when it is sent


def _texts(files: tuple[Any, ...], folder: str, name: str, limit: int, turn: int) -> Form:
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
    return Form(files, folder, "" if without else name, False, None, wishes, vectors)
