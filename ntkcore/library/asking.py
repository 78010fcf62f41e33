"""Who asks for something, wherever it is asked: a server with a login says it of each session, everywhere else it is the local person."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from ntkcore.library.people import LOCAL, Person, local
from ntkcore.roles import Action


class Asks(Protocol):
    """How a process knows who asks."""

    def reader(self) -> str:
        """The id of the person who asks now, without a look at what they may; "" for nobody."""
        ...

    def person(self) -> Person:
        """The person who asks now, with the role that they have now.

        Raises:
            Refused: nobody who is known.
        """
        ...


_asks: Asks | None = None
_for: ContextVar[Person | None] = ContextVar("asking", default=None)


def ask_by(asks: Asks | None) -> None:
    """Say how this process knows who asks; None: everybody is the local person."""
    global _asks
    _asks = asks


def has_people() -> bool:
    """Whether people are told apart."""
    return _asks is not None


def reader() -> str:
    """The id of whoever asks now; "" for nobody."""
    if (known := _for.get()) is not None:
        return known.id
    return LOCAL if _asks is None else _asks.reader()


def person() -> Person:
    """Whoever asks now, with the role that they have now."""
    if (known := _for.get()) is not None:
        return known
    return local("") if _asks is None else _asks.person()


@contextmanager
def on_behalf(who: Person) -> Iterator[None]:
    """Let somebody who is known be whoever asks: for what is made later than they asked, where nobody is known."""
    token = _for.set(who)
    try:
        yield
    finally:
        _for.reset(token)


def require(action: Action) -> Person:
    """Refuse what the role of whoever asks does not allow, else say who that is.

    Raises:
        Refused: says which role would allow it.
    """
    asks = person()
    asks.require(action)
    return asks
