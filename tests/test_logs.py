"""A line an event, for eyes or as JSON, and no secret in any."""

import json
import logging

import pytest

from ntkcore.logs import Lines
from ntkcore.settings import Settings

SETTINGS = {"secret": "signing-key", "metrics_token": "scrape-token", "database_url": "postgresql://ann:p%40ss-word@db.example/atlas"}


def record(message, *args, error=None, **told):
    made = logging.LogRecord("ntk_atlas", logging.ERROR, "app.py", 1, message, args, (type(error), error, None) if error else None)
    made.created = 0.25
    made.told = told
    return made


def test_a_line_says_when_what_and_the_fields():
    said = Lines(Settings()).format(record("Job ended", status="done", seconds=1.5))
    assert said == "1970-01-01T00:00:00.250Z ERROR ntk_atlas: Job ended status=done seconds=1.5"


def test_as_json_a_record_is_one_line_with_its_traceback():
    said = Lines(Settings(log_format="json")).format(record("Two\nlines", error=ValueError("odd"), ms=3))
    found = json.loads(said)
    assert "\n" not in said and found.pop("traceback").endswith("ValueError: odd")
    assert found == {"time": "1970-01-01T00:00:00.250Z", "level": "ERROR", "logger": "ntk_atlas", "message": "Two\nlines", "ms": 3}


@pytest.mark.parametrize("form", ["lines", "json"])
@pytest.mark.parametrize(
    ("text", "hidden"),
    [
        ("the key signing-key", "signing-key"),
        ("the token scrape-token", "scrape-token"),
        ("p@ss-word was refused", "p@ss-word"),
        ("postgresql+psycopg://ben:other@host/x", "other"),
        ("GET /thumbnails/abc.def/3 failed", "abc.def"),
        ("GET https://atlas.example/originals/abc.def/3", "abc.def"),
        ("GET /oauth2callback?code=xyz123&state=s", "xyz123"),
        ("Authorization: Bearer ab.cd-ef", "ab.cd-ef"),
        ("{'client_secret': 'shh-shh'}", "shh-shh"),
        ("a client's own", "a client's own"),
    ],
)
def test_no_secret_is_in_a_line(form, text, hidden):
    lines = Lines(Settings(log_format=form, **SETTINGS), ("a client's own",))
    for made in (record(text), record("failed: %s", text), record("failed", error=ValueError(text)), record("failed", what=text)):
        said = lines.format(made)
        assert hidden not in said and "***" in said, said
