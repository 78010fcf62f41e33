"""Short addresses: a few letters and digits that nobody mistakes for one another, also when they are read out."""

import re
import secrets

SAVED_AS = "a"
"""The name in an address that says which saved analysis it is of."""
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without 0 and O, 1 and I and L, and U, which is heard as V is read."""
_SHORTEST, _TRIES = 4, 3
_REFERENCE = re.compile(rf"([{ALPHABET}]{{{_SHORTEST},12}})(?:-([1-9][0-9]{{0,5}}))?")


def drawn(attempt: int) -> str:
    """A random code; a longer one after every few attempts that found theirs taken."""
    return "".join(secrets.choice(ALPHABET) for _ in range(_SHORTEST + attempt // _TRIES))


def read(text: str) -> tuple[str, int | None] | None:
    """The code and the number of a version in ``7Q2M-2``, or in ``7Q2M`` the code alone; None where it is none."""
    found = _REFERENCE.fullmatch(text.strip().upper())
    return None if found is None else (found[1], int(found[2]) if found[2] else None)


def written(code: str, number: int) -> str:
    """A code with the number of a version."""
    return f"{code}-{number}"
