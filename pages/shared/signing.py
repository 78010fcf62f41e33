"""What this server signs, so that nobody else can make it: addresses of pictures, where one wanted to be before one logged in."""

import os
import re
import secrets
from functools import lru_cache

from itsdangerous import Signer, TimestampSigner

from ntkcore.settings import Settings
from ntkcore.store.files import guarded
from ntkcore.store.lock import exclusive

_SECRET = re.compile(rb"[0-9a-f]{64}")


@lru_cache(maxsize=12)
def signer(chosen: Settings, salt: str) -> Signer:
    """What signs one kind of thing; what it signed is none of another kind."""
    return Signer(secret(chosen), salt=salt)


@lru_cache(maxsize=4)
def timed_signer(chosen: Settings, salt: str) -> TimestampSigner:
    """As :func:`signer`; what it signed says when."""
    return TimestampSigner(secret(chosen), salt=salt)


def secret(chosen: Settings) -> str:
    """The configured key, or one made once and kept in the cache, readable by its owner alone; a damaged one is made anew."""
    if chosen.secret:
        return chosen.secret
    path = chosen.cache_dir / "secret"
    with exclusive(chosen.cache_dir / "locks" / "secret.lock"), guarded(path.parent):
        kept = path.read_bytes() if path.exists() else b""
        if not _SECRET.fullmatch(kept):
            kept = secrets.token_hex(32).encode()
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(kept)
    return kept.decode()
