"""What processes write of themselves: a line an event, for eyes or as JSON, in which no secret stands.

A record's own fields are those that were given as ``extra={"told": {...}}``.
"""

import json
import logging
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from ntkcore.settings import Settings

MASK = "***"
_LEAST = 6  # characters below which a text is found by chance in others
_HIDDEN = (
    re.compile(r"(?<=://)[^/\s'\"@]*:[^/\s'\"]*(?=@)"),  # name and password in an address
    re.compile(r"(?<=/)(?:thumbnails|originals|seen)/[^\s'\"?]+"),  # signed addresses
    re.compile(r"(?<=[\w/])\?[^\s'\"=]+=[^\s'\"]*"),  # what is asked for: codes and states of a login, tokens, texts
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]+"),
    re.compile(r"(?i)(?:password|secret|token|cookie|authorization)\w*['\"]?\s*[=:]\s*['\"]?[^\s'\",;}]+"),
)


class Lines(logging.Formatter):
    """One line a record, and after it a traceback where there is one; or one JSON object, which has it within.

    Args:
        settings: say which of the two, and hold secrets that no line shows.
        others: further secrets.
    """

    def __init__(self, settings: Settings, others: Iterable[str] = ()) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._json = settings.log_format == "json"
        found = {*_secrets(settings), *others}
        self._secrets = sorted((text for text in found if len(text) >= _LEAST), key=len, reverse=True)

    def format(self, record: logging.LogRecord) -> str:
        """The text, without a line's end."""
        told = getattr(record, "told", {})
        if not self._json:
            fields = "".join(f" {name}={value}" for name, value in told.items())
            head, _, rest = super().format(record).partition("\n")
            return self.masked(f"{head}{fields}" + (f"\n{rest}" if rest else ""))
        found = {"time": self.formatTime(record), "level": record.levelname, "logger": record.name, "message": record.getMessage(), **told}
        if record.exc_info:
            found["traceback"] = self.formatException(record.exc_info)
        return json.dumps({name: self.masked(value) if isinstance(value, str) else value for name, value in found.items()})

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """When it was, in UTC, to a millisecond."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def masked(self, text: str) -> str:
        """The text without secrets, as far as they are known or look like some."""
        for secret in self._secrets:
            text = text.replace(secret, MASK)
        for hidden in _HIDDEN:
            text = hidden.sub(MASK, text)
        return text


def _secrets(settings: Settings) -> Iterable[str]:
    yield from (text for text in (settings.secret, settings.metrics_token) if text)
    password = urlsplit(settings.database_url or "").password
    if password:
        yield from (password, unquote(password))
