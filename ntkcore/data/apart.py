"""An import in a process of its own: what a stranger's file makes a decoder do, and take, ends with it.

The process may take so many bytes of memory beyond what it has when it begins (``RLIMIT_DATA``); one that asks for more says so and
stops, and one that dies by it, or by a file that its decoder does not survive, takes nothing with it. It gets what is to be imported as
JSON on its standard input, and tells its progress and its end in lines of JSON.
"""

import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import psutil

from ntkcore.data.bring import TextWishes, import_set, is_of_texts
from ntkcore.data.own_store import remove_half_written
from ntkcore.data.preview import preview_set
from ntkcore.data.text import Columns
from ntkcore.errors import AtlasError, Cancelled, DataError, StoreError
from ntkcore.settings import Settings

Tell = Callable[[str, int, int], None]

_ROOT = Path(__file__).resolve().parents[2]
_COMMAND = (sys.executable, "-c", "from ntkcore.data.apart import main; main()")
_LOOK = 0.2  # seconds between two looks whether the import is still wanted
_TOLD = 0.1  # seconds between two lines about progress
_PATIENCE = 2.0  # seconds that a process which is told to stop has for it
_ERRORS = {kind.__name__: kind for kind in (DataError, StoreError)}


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be imported; the fields are those of :func:`~ntkcore.data.import_set`."""

    paths: tuple[Path, ...]
    name: str
    side: int | Literal["auto"] = "auto"
    texts: TextWishes | None = None
    refer: bool = False
    more: str | None = None
    names: tuple[str, ...] = ()


def import_apart(order: Order, settings: Settings, tell: Tell) -> str:
    """Import a set in a process of its own; returns its content id.

    Args:
        order: what.
        settings: where to keep it, and the limits; ``job_bytes`` is what the process may take for it.
        tell: called with what is read (``"images"`` or ``"texts"``), steps done, steps in all, about five times a second; may raise
            Cancelled, which leaves nothing behind.

    Raises:
        DataError: whatever is wrong with the file; it needs more memory than allowed; or it ends the process that reads it.
        StoreError: the set cannot be written.
    """
    return str(_run(order, settings, tell, look=False)["content_id"])


def preview_apart(order: Order, settings: Settings, tell: Tell) -> dict[str, Any]:
    """What an import would make, by a process of its own, as JSON: see :class:`~ntkcore.data.preview.Preview`.

    Arguments and errors are those of :func:`import_apart`; nothing is kept.
    """
    found: dict[str, Any] = _run(order, settings, tell, look=True)["preview"]
    return found


def _run(order: Order, settings: Settings, tell: Tell, *, look: bool) -> dict[str, Any]:
    """What the process comes to."""
    process = subprocess.Popen(
        _COMMAND,
        cwd=_ROOT,
        env=os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system"},  # others set a gigabyte aside before they need it
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None
    try:
        with suppress(BrokenPipeError), process.stdin as file:
            file.write(json.dumps({"order": written(order), "look": look, "settings": settings.model_dump(mode="json")}).encode())
        return _followed(process, settings, tell)
    finally:
        _end(process)
        process.stdout.close()
        remove_half_written(process.pid, settings)


def _followed(process: subprocess.Popen, settings: Settings, tell: Tell) -> dict[str, Any]:
    """What the process says at its end."""
    said: dict[str, Any] = {"what": "images", "done": 0, "total": 1}
    rest, output = b"", process.stdout
    assert output is not None
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        while True:
            if selector.select(_LOOK):
                if not (data := os.read(output.fileno(), 2**16)):
                    break
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    said = said | json.loads(line)
            tell(said["what"], said["done"], said["total"])
    if "content_id" in said or "preview" in said:
        return said
    if "error" in said:
        raise _ERRORS.get(said["error"], AtlasError)(said["message"], said["remedy"])
    raise _gone(process.wait(), settings, memory="memory" in said)


def _gone(status: int, settings: Settings, *, memory: bool) -> DataError:
    """Why a process ended without a result: SIGKILL is how a system takes memory back, SIGABRT how C++ ends for want of it."""
    if memory or -status in (signal.SIGKILL, signal.SIGABRT):
        return DataError(
            f"The import needs more than the {settings.job_bytes / 2**20:,.0f} MiB of memory that it may take here.",
            "Import fewer or smaller images or texts at once, or raise NTK_JOB_MEMORY.",
        )
    ended = f" ({signal.Signals(-status).name})" if status < 0 else ""
    return DataError(
        f"What reads the file broke down{ended}; nothing was imported.",
        "The file is probably damaged: save it again, or import a part of it to find out which.",
    )


def _end(process: subprocess.Popen) -> None:
    """Stop a process that goes on."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def written(order: Order) -> dict[str, Any]:
    """An order as JSON holds it."""
    texts = order.texts and {
        "columns": [order.texts.columns.text, order.texts.columns.label],
        "vectors": order.texts.vectors and str(order.texts.vectors),
        "dimensions": order.texts.dimensions,
    }
    return asdict(order) | {"paths": [str(path) for path in order.paths], "names": list(order.names), "texts": texts}


def order_of(content: Mapping[str, Any]) -> Order:
    """The order that :func:`written` wrote."""
    texts = content["texts"]
    wishes = texts and TextWishes(Columns(*texts["columns"]), texts["vectors"] and Path(texts["vectors"]), texts["dimensions"])
    paths, names = tuple(Path(path) for path in content["paths"]), tuple(content["names"])
    return Order(**{**content, "paths": paths, "names": names, "texts": wishes})


def main() -> None:
    """The process: import what standard input says."""
    signal.signal(signal.SIGTERM, _stopped)
    content = json.loads(sys.stdin.buffer.read())
    order, settings = order_of(content["order"]), Settings(**content["settings"])
    try:
        _limit(settings.job_bytes)
        _say(**(_looked if content["look"] else _imported)(order, settings))
    except MemoryError:
        _say(memory=True)
    except RuntimeError as error:
        if "start new thread" not in str(error):  # whose stack has no room
            raise
        _say(memory=True)
    except AtlasError as error:
        _say(error=type(error).__name__, message=error.message, remedy=error.remedy)
    except (Cancelled, BrokenPipeError):  # nobody listens any more
        os._exit(1)


def _imported(order: Order, settings: Settings) -> dict[str, Any]:
    _say(what="texts" if is_of_texts(order.paths, settings, order.more) else "images")
    report = import_set(
        order.paths,
        settings,
        name=order.name,
        side=order.side,
        refer=order.refer,
        more=order.more,
        names=order.names,
        texts=order.texts,
        progress=_progress(),
    )
    return {"content_id": report.content_id, "done": 1, "total": 1}


def _looked(order: Order, settings: Settings) -> dict[str, Any]:
    found = preview_set(order.paths, settings, more=order.more, names=order.names, texts=order.texts, progress=_progress())
    return {"preview": asdict(found), "what": found.kind, "done": 1, "total": 1}


def _progress() -> Callable[[int, int], None]:
    """What says how far it is, now and then."""
    last = 0.0

    def progress(done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last > _TOLD:
            last = time.monotonic()
            _say(done=done, total=max(total, 1))

    return progress


def _limit(size: int) -> None:
    """Let this process take so many bytes beyond what it has."""
    if sys.platform != "linux":
        return  # others have the limit and do not keep to it
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit = psutil.Process().memory_info().data + size
    resource.setrlimit(resource.RLIMIT_DATA, (limit if hard == resource.RLIM_INFINITY else min(limit, hard), hard))


def _say(**content: Any) -> None:
    print(json.dumps(content), flush=True)


def _stopped(signum: int, frame: FrameType | None) -> None:
    raise Cancelled
