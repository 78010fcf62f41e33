"""Imports and downloads of data sets as jobs, and the uploads that they read."""

import contextlib
import hashlib
import json
import shutil
import time
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ntkcore.analyses.sharing import fair
from ntkcore.data import Order, TextWishes, check_server_path, download, import_apart, order_of, preview_apart, remove_own, written
from ntkcore.errors import Cancelled, DataError
from ntkcore.jobs import Asker, Handler, JobContext, JobState
from ntkcore.library import asking, audit
from ntkcore.private import make_private, open_private
from ntkcore.settings import Settings
from ntkcore.store.files import guarded

if TYPE_CHECKING:  # loads what computes, which a worker that only imports does without
    from ntkcore.analyses.workspace import Workspace

_UPLOAD_LIFE = 86_400.0  # seconds
_REMEMBERED = 2_000  # jobs among which whoever imported a set is looked for
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
    paths: Sequence[Path],
    name: str,
    side: int | Literal["auto"],
    ws: "Workspace",
    *,
    uploaded: bool,
    names: Sequence[str] = (),
    refer: bool = False,
    more: str | None = None,
    texts: TextWishes | None = None,
    vectors_uploaded: bool = False,
) -> JobState:
    """Ask for a set of images or texts to be imported from files or folders on the server.

    Args:
        paths: the files or folders, which become one set; uploaded files are deleted afterwards, unless the import was stopped, which can
            then be gone on with for a day.
        name: what to call the set.
        side: side of the small images in pixels, or ``"auto"``.
        uploaded: whether they are uploads kept by :func:`keep_upload`; else they must lie in an allowed folder.
        names: what uploads were called.
        refer: to photographs where they lie on the server.
        more: id of the set that they are added to.
        texts: what is to become of texts.
        vectors_uploaded: whether the word vectors that ``texts`` names are an upload, too.
    """
    if not uploaded:  # else they were counted when they were kept
        fair.require_room(asking.person(), ws)
    order = _order(paths, name, side, ws, uploaded, names, refer, more, texts, vectors_uploaded)
    payload = {"order": written(order), "uploaded": uploaded, "vectors_uploaded": vectors_uploaded}
    key = hashlib.sha256(json.dumps(["import", payload]).encode()).hexdigest()
    return ws.jobs.submit("import", key, payload, f"Import of {name}", again=True, seconds=_READ, queue="import")


def at_hand(job: JobState) -> bool:
    """Whether what a stopped import was to read is still there."""
    return all(path.exists() for path in order_of(job.payload["order"]).paths)


def go_on(job: JobState, ws: "Workspace") -> JobState:
    """Ask again for an import that was stopped: it goes on where it was."""
    return ws.jobs.submit("import", job.id, job.payload, job.title, again=True, seconds=_READ, queue="import")


def request_preview(
    paths: Sequence[Path],
    ws: "Workspace",
    *,
    uploaded: bool,
    names: Sequence[str] = (),
    more: str | None = None,
    texts: TextWishes | None = None,
) -> JobState:
    """Ask what an import of these would make; arguments as in :func:`request_import`. Uploads stay for it."""
    order = _order(paths, "", "auto", ws, uploaded, names, False, more, texts and TextWishes(texts.columns), True)
    payload = {"order": written(order)}
    key = hashlib.sha256(json.dumps(["preview", payload]).encode()).hexdigest()
    return ws.jobs.submit("preview", key, payload, "Look into a file", again=True, seconds=_READ, queue="import")


def _order(
    paths: Sequence[Path],
    name: str,
    side: int | Literal["auto"],
    ws: "Workspace",
    uploaded: bool,
    names: Sequence[str],
    refer: bool,
    more: str | None,
    texts: TextWishes | None,
    vectors_uploaded: bool,
) -> Order:
    """The order, once every path on the server is one that may be read."""
    sources = tuple(paths) if uploaded else tuple(check_server_path(path, ws.settings) for path in paths)
    if texts is not None and texts.vectors is not None and not vectors_uploaded:
        texts = TextWishes(texts.columns, check_server_path(texts.vectors, ws.settings), texts.dimensions)
    return Order(sources, name, side, texts, refer, more, tuple(names))


def maker(content_id: str, ws: "Workspace") -> Asker | None:
    """Whoever imported a set, as the list of jobs knows it; None: nobody knows."""
    made = (job for job in ws.jobs.list(_REMEMBERED) if job.kind == "import" and job.result.get("content_id") == content_id)
    return next((Asker(job.owner, job.owner_name) for job in made if job.owner), None)


def may_remove(content_id: str, ws: "Workspace") -> bool:
    """Whether whoever asks may remove a set: their own, or as an administrator anybody's."""
    asks = asking.person()
    if asks.may("remove others' sets"):
        return True
    made = maker(content_id, ws)
    return asks.may("remove set") and made is not None and made.person == asks.id


def remove(content_id: str, name: str, ws: "Workspace") -> None:
    """Remove a set, which is kept in the audit list.

    Raises:
        AtlasError: it is somebody else's, or cannot be removed.
    """
    if not may_remove(content_id, ws):
        raise DataError("This set is somebody else's.", "Only they, or an administrator, may remove it.")
    remove_own(content_id, ws.settings)
    audit.write(ws.library, asking.person(), "deleted", f"the set {name}")


def keep_upload(content: Any, size: int, ws: "Workspace") -> Path:
    """Write an uploaded file (a binary file object) to the cache; its name begins with its hash.

    Raises:
        DataError: it is over the limit.
        StoreError: it cannot be written (disk full, no permission; more than one person may fill); nothing is left of it.
    """
    person = asking.require("upload")
    limit = ws.settings.upload_limit
    if size > limit:
        raise DataError(
            f"The file has {size / 2**20:.0f} MiB; at most {limit / 2**20:.0f} MiB can be uploaded.",
            "Put it in a server folder and import it from there.",
        )
    fair.require_room(person, ws, more=size)
    content.seek(0)
    digest = hashlib.file_digest(content, "sha256").hexdigest()
    content.seek(0)
    target = ws.settings.cache_dir / "uploads" / f"{digest}-{fair.mark(person)}-{uuid.uuid4().hex}"  # one file a job: each deletes its own
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
    return {
        "download": partial(fetch, settings),
        "weights": partial(fetch_weights, settings),
        "import": partial(bring_in, settings),
        "preview": partial(look_in, settings),
    }


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
    order = order_of(payload["order"])
    done_with = [*(order.paths if payload["uploaded"] else ())]
    if order.texts is not None and order.texts.vectors is not None and payload["vectors_uploaded"]:
        done_with.append(order.texts.vectors)
    try:
        found = {"content_id": import_apart(order, settings, _told(context))}
    except Cancelled:
        raise  # it can be asked for again as long as its uploads are there
    except BaseException:
        _delete(done_with)
        raise
    _delete(done_with)
    return found


def look_in(settings: Settings, payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
    """The job that says what an import would make."""
    return preview_apart(order_of(payload["order"]), settings, _told(context))


def _delete(paths: Sequence[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _told(context: JobContext) -> Callable[[str, int, int], None]:
    """What passes the progress of a process on."""
    planned = ""

    def tell(what: str, done: int, total: int) -> None:
        nonlocal planned
        if planned != what:
            planned = what
            context.plan([(f"Reading {what}", what, 1.0, _READ)])
        context.report(f"Reading {what}", done / max(total, 1))

    return tell
