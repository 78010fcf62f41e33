"""Asking an address of the network, with what went wrong in words."""

import contextlib
import http.client
import urllib.request
from collections.abc import Iterator

_CHUNK = 1 << 18
_TIMEOUT = 30.0  # seconds without a byte


class NoAnswer(Exception):
    """An address that did not give a whole file, and why."""


@contextlib.contextmanager
def answered(url: str) -> Iterator[http.client.HTTPResponse]:
    """The answer of an address.

    Raises:
        NoAnswer: there is none.
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError(f"url: expected http or https, got {url}")
    request = urllib.request.Request(url, headers={"User-Agent": "ntk-atlas"})
    try:
        answer = urllib.request.urlopen(request, timeout=_TIMEOUT)
    except (OSError, http.client.HTTPException) as error:  # URLError and HTTPError are OSErrors
        if isinstance(error, contextlib.AbstractContextManager) or hasattr(error, "close"):
            error.close()  # an HTTPError holds the answer open
        raise NoAnswer(_reason(error)) from error
    with answer:
        yield answer


def receive(answer: http.client.HTTPResponse) -> bytes:
    """Its next bytes; b"" at the end.

    Raises:
        NoAnswer: the connection broke off.
    """
    try:
        return answer.read(_CHUNK)
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswer(_reason(error)) from error


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "no answer in time"
    return str(getattr(error, "reason", "") or error or type(error).__name__)[:200]
