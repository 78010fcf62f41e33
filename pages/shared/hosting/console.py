"""What the server writes to its console: one format for all of its parts, in which no secret stands."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from streamlit.auth_util import get_secrets_auth_section

from ntkcore.logs import Lines
from ntkcore.settings import Settings
from pages.shared.hosting.counts import REQUESTS
from pages.shared.signing import secret

_OURS = ("ntk_atlas", "ntkcore")


def begin(settings: Settings) -> None:
    """Give the console's handlers our format; again, after more has been loaded, which may have brought some of its own."""
    lines = Lines(settings, (secret(settings), *_texts(get_secrets_auth_section())))
    for name in _OURS:
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.StreamHandler())
        logger.propagate = False
    logging.getLogger(REQUESTS).setLevel(logging.INFO if settings.log_requests else logging.WARNING)
    for other in (logging.getLogger(), *map(logging.getLogger, tuple(logging.root.manager.loggerDict))):
        for handler in other.handlers:
            if isinstance(handler, logging.StreamHandler) and not isinstance(handler, logging.FileHandler):
                handler.setFormatter(lines)
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(lines)


def _texts(section: Mapping[str, Any]) -> Iterator[str]:
    """The secrets of a login and of its providers."""
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _texts(value)
        elif name.endswith("secret"):
            yield str(value)
