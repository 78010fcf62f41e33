"""Who asks for something, wherever it is asked: a server with a login says it of each session, everywhere else it is the local person."""

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


def ask_by(asks: Asks | None) -> None:
    """Say how this process knows who asks; None: everybody is the local person."""
    global _asks
    _asks = asks


def has_people() -> bool:
    """Whether people are told apart."""
    return _asks is not None


def reader() -> str:
    """The id of whoever asks now; "" for nobody."""
    return LOCAL if _asks is None else _asks.reader()


def person() -> Person:
    """Whoever asks now, with the role that they have now."""
    return local("") if _asks is None else _asks.person()


def require(action: Action) -> Person:
    """Refuse what the role of whoever asks does not allow, else say who that is.

    Raises:
        Refused: says which role would allow it.
    """
    asks = person()
    asks.require(action)
    return asks
