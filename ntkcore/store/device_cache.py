"""Hot arrays in memory, shared by all sessions of a process: a least-recently-used cache bounded in bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, TypeVar, cast

from ntkcore.errors import Cancelled

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CacheStats:
    """Counts since the process started; ``bytes`` and ``items`` as of now."""

    hits: int
    misses: int
    bytes: int
    items: int
    limit: int


class _Flight:
    """One building of one item, which others may wait for."""

    def __init__(self) -> None:
        self.builder = threading.get_ident()
        self.landed = threading.Event()
        self.value: Any = None
        self.error: Exception | None = None
        self.abandoned = False  # the builder was stopped, which says nothing about the item
        self.keep = True


class DeviceCache:
    """Least-recently-used items up to ``limit_bytes``; thread-safe; each item is built once however many ask for it."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._lock = threading.Lock()
        self._items: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._flights: dict[Hashable, _Flight] = {}
        self._bytes = self._hits = self._misses = 0

    def get(self, key: Hashable, build: Callable[[], T], nbytes: Callable[[T], int] | None = None) -> T:
        """The item of ``key``, built by ``build()`` if it is not held.

        Concurrent callers of one key wait for one building. An item larger than the limit is returned, not kept.

        Args:
            key: what identifies the item.
            build: makes it; runs without a lock, and may get other keys.
            nbytes: its size in bytes; default :func:`size_of`.

        Raises:
            Exception: whatever ``build`` raises, to every waiting caller; it is not remembered. If the building caller
                is cancelled, the next one builds.
            RuntimeError: ``build`` asks for its own key.
        """
        while True:
            with self._lock:
                if key in self._items:
                    self._items.move_to_end(key)
                    self._hits += 1
                    return cast(T, self._items[key][0])
                flight = self._flights.get(key)
                if flight is None:
                    flight = self._flights[key] = _Flight()
                    self._misses += 1
                    break
                if flight.builder == threading.get_ident():
                    raise RuntimeError(f"building {key!r} asks for {key!r}")
            flight.landed.wait()
            if flight.error is not None:
                raise flight.error
            if not flight.abandoned:
                with self._lock:
                    self._hits += 1
                return cast(T, flight.value)
        return self._build(key, flight, build, nbytes)

    def _build(self, key: Hashable, flight: _Flight, build: Callable[[], T], nbytes: Callable[[T], int] | None) -> T:
        try:
            value = flight.value = build()
            size = (nbytes or size_of)(value)
        except BaseException as error:
            # Cancelled, and what is no Exception (a stopped script run), concern this caller alone.
            if isinstance(error, Exception) and not isinstance(error, Cancelled):
                flight.error = error
            else:
                flight.abandoned = True
            raise
        else:
            with self._lock:
                if flight.keep and size <= self._limit:
                    self._items[key] = (value, size)
                    self._bytes += size
                    while self._bytes > self._limit:
                        _, (_, freed) = self._items.popitem(last=False)
                        self._bytes -= freed
            return value
        finally:
            with self._lock:
                self._flights.pop(key, None)
            flight.landed.set()

    def drop(self, which: Callable[[Hashable], bool] | tuple) -> int:
        """Forget items, those being built included.

        Args:
            which: a predicate on keys, or the beginning of tuple keys.

        Returns:
            How many held items went.
        """
        chosen = which if callable(which) else lambda key: isinstance(key, tuple) and key[: len(which)] == which
        with self._lock:
            gone = [key for key in self._items if chosen(key)]
            for key in gone:
                self._bytes -= self._items.pop(key)[1]
            for key, flight in self._flights.items():
                if chosen(key):
                    flight.keep = False
        return len(gone)

    def clear(self) -> None:
        """Forget everything."""
        self.drop(lambda _: True)

    def stats(self) -> CacheStats:
        """Counts of hits and misses, bytes and items held."""
        with self._lock:
            return CacheStats(self._hits, self._misses, self._bytes, len(self._items), self._limit)


def size_of(value: object) -> int:
    """Bytes of the arrays and tensors in ``value``: bare, or in tuples, lists, mappings and dataclasses; shared ones once."""
    seen: set[int] = set()

    def walk(item: Any) -> int:
        if id(item) in seen:
            return 0
        seen.add(id(item))
        if isinstance(item, bytes | bytearray | str):
            return len(item)
        if isinstance(item, Mapping):
            return sum(walk(key) + walk(part) for key, part in item.items())
        if isinstance(item, tuple | list | set | frozenset):
            return sum(map(walk, item))
        if is_dataclass(item) and not isinstance(item, type):
            return sum(walk(getattr(item, field.name)) for field in fields(item))
        size = getattr(item, "nbytes", 0)  # numpy arrays and torch tensors
        return size if isinstance(size, int) else 0

    return walk(value)
