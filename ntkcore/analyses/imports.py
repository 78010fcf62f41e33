"""Imports and downloads of data sets as jobs, and the uploads that they read."""

import contextlib
import hashlib
import json
import shutil
import time
import uuid
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ntkcore.data import Columns, Order, TextWishes, check_server_path, download, import_apart
from ntkcore.errors import DataError
from ntkcore.jobs import Handler, JobContext, JobState
from ntkcore.private import make_private, open_private
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

if TYPE_CHECKING:  # loads what computes, which a worker that only imports does without
    from ntkcore.analyses.workspace import Workspace

_UPLOAD_LIFE = 86_400.0  # seconds
_READ, _FETCHED = 5.0, 60.0  # seconds that an import and a download are expected to take, before either has begun


def request_download(name: str, ws: "Workspace") -> JobState:
    """Ask for a public data set to be downloaded."""
    title = f"Download of {name}"
    return ws.jobs.submit("download", download_key(name), {"name": name}, title, again=True, seconds=_FETCHED, queue="import")


def request_weights(architecture: str, ws: "Workspace") -> JobState:
    """Ask for a network's published weights to be downloaded."""
    title = f"Download of the weights of {architecture}"
    payload = {"architecture": architecture}
    return ws.jobs.submit("weights", download_key(architecture), payload, title, again=True, seconds=_FETCHED, queue="import")


def download_key(name: str) -> str:
    """Id of the job that downloads a data set, or a network's weights."""
    return hashlib.sha256(f"download {name}".encode()).hexdigest()


def request_import(
    path: Path,
    name: str,
    side: int | Literal["auto"],
    ws: "Workspace",
    *,
    uploaded: bool,
    texts: TextWishes | None = None,
    vectors_uploaded: bool = False,
) -> JobState:
    """Ask for a set of images or texts to be imported from a file or folder on the server.

    Args:
        path: the file or folder; an uploaded file is deleted afterwards, whatever becomes of it.
        name: what to call the set.
        side: side of the images in pixels, or ``"auto"``.
        uploaded: whether ``path`` is an upload kept by :func:`keep_upload`; else it must lie in an allowed folder.
        texts: what is to become of texts.
        vectors_uploaded: the same of the word vectors that ``texts`` names.
    """
    source = path if uploaded else check_server_path(path, ws.settings)
    payload: dict[str, Any] = {"path": str(source), "name": name, "side": side, "uploaded": uploaded}
    if texts is not None:
        vectors = texts.vectors if texts.vectors is None or vectors_uploaded else check_server_path(texts.vectors, ws.settings)
        payload["texts"] = {
            "columns": [texts.columns.text, texts.columns.label],
            "vectors": None if vectors is None else str(vectors),
            "dimensions": texts.dimensions,
            "vectors_uploaded": vectors_uploaded,
        }
    key = hashlib.sha256(json.dumps(["import", payload]).encode()).hexdigest()
    return ws.jobs.submit("import", key, payload, f"Import of {name}", again=True, seconds=_READ, queue="import")


def keep_upload(content: Any, size: int, ws: "Workspace") -> Path:
    """Write an uploaded file (a binary file object) to the cache; its name begins with its hash.

    Raises:
        DataError: it is over the limit.
        StoreError: it cannot be written (disk full, no permission); nothing is left of it.
    """
    limit = ws.settings.upload_limit
    if size > limit:
        raise DataError(
            f"The file has {size / 2**20:.0f} MiB; at most {limit / 2**20:.0f} MiB can be uploaded.",
            "Put it in a server folder and import it from there.",
        )
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    target = ws.settings.cache_dir / "uploads" / f"{digest}-{uuid.uuid4().hex}"  # one file a job: each deletes its own
    with guarded(target.parent, size):
        make_private(target.parent)
        try:
            with open_private(target, "wb") as file:
                shutil.copyfileobj(content, file, 2**20)
        except BaseException:
            target.unlink(missing_ok=True)
            raise
    return target


def sweep_uploads(settings: Settings) -> None:
    """Delete uploads a day old: of imports that were cancelled before they began, or of a server that died."""
    for path in (settings.cache_dir / "uploads").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _UPLOAD_LIFE:
                path.unlink()


def handlers(settings: Settings) -> dict[str, Handler]:
    """What a worker does with the jobs of this module, by their kind."""
    return {"download": partial(fetch, settings), "weights": partial(fetch_weights, settings), "import": partial(bring_in, settings)}


def fetch(settings: Settings, payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """The job that downloads a data set."""
    context.plan([("Download", "bytes", 1.0, _FETCHED)])
    download(payload["name"], settings, progress=lambda done, total: context.report("Download", done / max(total, 1)))
    return {}


def fetch_weights(settings: Settings, payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """The job that downloads a network's weights."""
    from ntkcore.models.fetch import download_weights  # loads torch, which other imports do without

    context.plan([("Download", "bytes", 1.0, _FETCHED)])
    download_weights(payload["architecture"], settings, lambda done, total: context.report("Download", done / max(total, done, 1)))
    return {}


def bring_in(settings: Settings, payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """The job that imports a set."""
    path, texts = Path(payload["path"]), payload.get("texts") or {}
    vectors = Path(texts["vectors"]) if texts.get("vectors") else None
    wishes = TextWishes(Columns(*texts["columns"]), vectors, texts["dimensions"]) if texts else None
    planned = ""

    def tell(what: str, done: int, total: int) -> None:
        nonlocal planned
        if planned != what:
            planned = what
            context.plan([(f"Reading {what}", what, 1.0, _READ)])
        context.report(f"Reading {what}", done / max(total, 1))

    try:
        return {"content_id": import_apart(Order(path, payload["name"], payload["side"], wishes), settings, tell)}
    finally:
        if payload["uploaded"]:
            path.unlink(missing_ok=True)
        if vectors is not None and texts["vectors_uploaded"]:
            vectors.unlink(missing_ok=True)
