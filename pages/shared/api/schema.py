"""The API's description of itself: OpenAPI 3.1, made of the models that it asks and answers with."""

from functools import lru_cache
from typing import Any

from pydantic.json_schema import models_json_schema

from pages.shared.api import models

_WHICH = {
    "analysis": "the code of a saved analysis, as 7Q2M, or the reference of one version of it, as 7Q2M-2",
    "result": "such a code or reference, or the key of a stored result (64 hexadecimal digits)",
}
_PROBLEMS = {
    "400": "what is asked for cannot be: says why",
    "401": "no token that holds, and no login",
    "404": "there is none, or not for who asks",
    "405": "the API only reads",
    "503": "the library cannot be reached, or what is stored is damaged",
}


@lru_cache(maxsize=1)
def schema() -> dict[str, Any]:
    """The document; whoever asks for it may change nothing of it."""
    answered = (models.Listed, models.Whole, models.Result, models.Images, models.Problem)
    _, found = models_json_schema([(one, "serialization") for one in answered], ref_template="#/components/schemas/{model}")
    picture = {media: {"schema": {"type": "string", "contentMediaType": media}} for media in ("image/png", "image/jpeg")}
    return {
        "openapi": "3.1.0",
        "info": {"title": "NTK Atlas", "version": "1", "description": "Saved analyses, results and images of a server, to be read."},
        "servers": [{"url": models.API}],
        "security": [{"token": []}, {}],
        "paths": {
            "/analyses": _path("Saved analyses", models.Listed, models.AnalysesQuery),
            "/analyses/{which}": _path("One saved analysis", models.Whole, models.NoQuery, "analysis"),
            "/results/{which}": _path("Sentences and table of a result", models.Result, models.ResultQuery, "result"),
            "/images/{which}": _path("Images of a saved analysis", models.Images, models.RowsQuery, "analysis"),
            "/thumbnails/{token}/{image}": {
                "get": {
                    "summary": "The thumbnail of an image, at the address that its list says",
                    "parameters": [_named("token", "of the address", "string"), _named("image", "its place", "integer")],
                    "responses": {"200": {"description": "the picture", "content": picture}} | _refusals("401", "404", "405"),
                }
            },
        },
        "components": {
            "schemas": found["$defs"],
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "a token of the page Settings; without a login none is needed"}
            },
        },
    }


def _path(summary: str, answer: type[models.Answer], query: type[models.Query], which: str = "") -> dict[str, Any]:
    asked = [] if not which else [_named("which", _WHICH[which], "string")]
    for name, told in query.model_json_schema().get("properties", {}).items():
        said = {key: value for key, value in told.items() if key not in ("title", "description")}
        asked.append({"name": name, "in": "query", "required": False, "description": told["description"], "schema": said})
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}}
    responses = {"200": {"description": summary, "content": content}} | _refusals(*_PROBLEMS)
    return {"get": {"summary": summary, "parameters": asked, "responses": responses}}


def _named(name: str, told: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "description": told, "schema": {"type": kind}}


def _refusals(*statuses: str) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"description": _PROBLEMS[status], "content": content} for status in statuses}
