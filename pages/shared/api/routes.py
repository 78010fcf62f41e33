"""The routes of the API: reading alone, JSON alone, errors too."""

import logging
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any, TypeVar, get_origin

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from ntkcore.errors import AtlasError, CorruptArtifact, DataMissing, LibraryError, SpecError, StoreError
from ntkcore.library.people import Refused
from ntkcore.library.saved import Absent
from pages.shared import media
from pages.shared.api import models
from pages.shared.api.errors import refusal
from pages.shared.api.schema import schema

Q = TypeVar("Q", bound=models.Query)
_STATUS: tuple[tuple[type[AtlasError], int], ...] = (
    (Absent, 404),
    (CorruptArtifact, 503),  # it is computed again where its page is opened
    (StoreError, 404),
    (DataMissing, 404),
    (SpecError, 400),
    (Refused, 404),
    (LibraryError, 503),
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # all, so that the others are refused as JSON
_READING = ("GET", "HEAD")


def routes() -> list[Route]:
    """The routes of the API, for a server whose gate says who asks."""
    made = {
        "/analyses": partial(_answer, models.AnalysesQuery, lambda asked, person: _answers().listed(asked, person)),
        "/analyses/{which}": partial(_answer, models.NoQuery, lambda _, person, which: _answers().whole(which, person)),
        "/results/{which}": partial(_answer, models.ResultQuery, lambda asked, person, which: _answers().result(which, asked, person)),
        "/images/{which}": partial(_answer, models.RowsQuery, lambda asked, person, which: _answers().images(which, asked, person)),
        "/thumbnails/{token}/{image:int}": _thumbnail,
        "/openapi.json": _schema,
        "": _absent,
        "/{rest:path}": _absent,
    }
    return [Route(f"{models.API}{path}", partial(_reading, answer), methods=_METHODS) for path, answer in made.items()]


def _answers() -> ModuleType:
    """What answers: it loads torch, without which the server is up sooner."""
    from pages.shared.api import answers

    return answers


async def _reading(answer: Callable[[Request], Any], request: Request) -> Response:
    """An answer to a request that reads; it never fails without saying so in JSON."""
    if request.method not in _READING:
        said = refusal(405, f"The API only reads: {request.method[:20]} is not one of its ways.", "Send GET.")
        said.headers["Allow"] = ", ".join(_READING)
        return said
    try:
        found: Response = await answer(request)
    except AtlasError as error:
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        return refusal(status, error.message, error.remedy)
    except Exception as error:
        logging.getLogger("ntk_atlas").error("The API failed", exc_info=error)
        return refusal(500, "Something went wrong in the server.", "Its log says what.")
    return found


async def _answer(query: type[Q], made: Callable[..., models.Answer], request: Request) -> Response:
    try:
        asked = query.model_validate(_said(query, request))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        return refusal(400, f"{name}: {first['msg']}.", "/api/v1/openapi.json says what can be asked.")
    found = await run_in_threadpool(made, asked, request.scope[media.PERSON], **request.path_params)
    return JSONResponse(found.model_dump(mode="json"), headers={"Cache-Control": "no-store"})


def _said(query: type[models.Query], request: Request) -> dict[str, Any]:
    """The names of a request's query; of a name that is said twice the list, where it may be."""
    given: dict[str, Any] = {}
    for name in request.query_params:
        values = request.query_params.getlist(name)
        field = query.model_fields.get(name)
        several = field is not None and get_origin(field.annotation) is tuple
        given[name] = values if several or len(values) > 1 else values[0]
    return given


async def _thumbnail(request: Request) -> Response:
    found = await media.thumbnail(request)
    return found if found.status_code == 200 else refusal(404, "There is no such image.", "Ask for the images again.")


async def _schema(_: Request) -> Response:
    return JSONResponse(schema())


async def _absent(_: Request) -> Response:
    return refusal(404, "The API has nothing here.", "/api/v1/openapi.json says what it has.")
