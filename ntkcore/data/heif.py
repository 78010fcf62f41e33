"""What a HEIC photograph says it unpacks to, read from its boxes before a decoder sees it (ISO/IEC 14496-12, 23008-12).

The decoder holds every coded picture to the size said for it. What it does not bound is how much is decoded for one image: a
photograph is cut out of a picture that may be far larger, and made of tiles, of which one may be named sixty thousand times.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

_META = 1 << 20  # bytes of the description; a telephone's has ten thousand
_BOXES = 1_000  # of one level; telephones write up to a hundred
_DEPTH = 4  # images made of images made of images
_CODED = (b"hvc1",)
_MADE = (b"grid", b"iden")

_Boxes = Iterator[tuple[bytes, bytes]]


class Unreadable(Exception):
    """A photograph whose description is damaged, or that is made as no telephone makes one."""


@dataclass(slots=True)
class _Description:
    """The items of a photograph: its main one, the kind of each, what each is made of, the pixels that each says it has."""

    primary: int = 0
    kinds: dict[int, bytes] = field(default_factory=dict)
    parts: dict[int, list[int]] = field(default_factory=dict)
    beside: dict[int, list[int]] = field(default_factory=dict)
    pixels: dict[int, int] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)  # work of an item that was looked at

    def work(self, item: int, depth: int = 0) -> int:
        """Pixels that are decoded or filled for an item."""
        if item not in self.known:
            kind = self.kinds.get(item)
            if depth > _DEPTH or kind not in (*_CODED, *_MADE) or item not in self.pixels:
                raise Unreadable
            parts = self.parts.get(item, []) if kind in _MADE else []
            self.known[item] = self.pixels[item] + sum(self.work(part, depth + 1) for part in parts)
        return self.known[item]


def is_heif(start: bytes) -> bool:
    """Whether a file that starts with these bytes (12 are enough) is a photograph of this kind."""
    return start[4:8] == b"ftyp" and start[8:12] in (
        *(b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"),
        *(b"mif1", b"msf1"),
    )


def pixels_to_decode(data: bytes) -> tuple[int, int]:
    """Pixels of the largest picture that a photograph speaks of, and of all that are decoded for its main image: tiles, canvas, alpha.

    The pictures beside it (alpha, depth, brightness) all count, though only alpha is decoded.

    Raises:
        Unreadable: damaged, or made of other things than HEVC pictures and grids of them.
    """
    try:
        meta = next((body for kind, body in _boxes(data) if kind == b"meta"), b"")
        if not 4 < len(meta) <= _META:
            raise Unreadable
        found = _described(meta[4:])
        beside = sum(found.pixels.get(item, 0) for item in found.beside.get(found.primary, []))
        return max(found.pixels.values(), default=0), found.work(found.primary) + beside
    except (struct.error, IndexError) as error:
        raise Unreadable from error


def _described(meta: bytes) -> _Description:
    found = _Description()
    for kind, body in _boxes(meta):
        if kind == b"pitm":
            found.primary = _number(body, 4, 2 if body[0] == 0 else 4)
        elif kind == b"iinf":
            for _, entry in _boxes(body[6 if body[0] == 0 else 8 :]):
                wide = 2 if entry[0] < 3 else 4
                name = entry[6 + wide : 10 + wide]
                if name == b"mime" and any(entry[10 + wide :].split(b"\0")[2:3]):
                    raise Unreadable  # packed notes, which unpack to anything
                found.kinds[_number(entry, 4, wide)] = name
        elif kind == b"iref":
            wide = 2 if body[0] == 0 else 4
            for name, entry in _boxes(body[4:]):
                item, count = _number(entry, 0, wide), _number(entry, wide, 2)
                others = [_number(entry, wide + 2 + wide * i, wide) for i in range(count)]
                if name == b"dimg":
                    found.parts.setdefault(item, []).extend(others)
                elif name == b"auxl":
                    for other in others:
                        found.beside.setdefault(other, []).append(item)
        elif kind == b"iprp":
            found.pixels = _sizes(body)
    return found


def _sizes(iprp: bytes) -> dict[int, int]:
    """Pixels of each item: of the largest size that is said for it, before it is cut."""
    sizes: list[int] = []
    found: dict[int, int] = {}
    for kind, body in _boxes(iprp):
        if kind == b"ipco":
            for name, entry in _boxes(body):
                sizes.append(_number(entry, 4, 4) * _number(entry, 8, 4) if name == b"ispe" else 0)
        elif kind == b"ipma":
            wide, long = 2 if body[0] == 0 else 4, body[3] & 1
            at = 8
            for _ in range(_number(body, 4, 4)):
                item, count = _number(body, at, wide), body[at + wide]
                at += wide + 1
                for _ in range(count):
                    place = _number(body, at, 2) & 0x7FFF if long else body[at] & 0x7F
                    at += 2 if long else 1
                    if size := sizes[place - 1] if place else 0:
                        found[item] = max(found.get(item, 0), size)
    return found


def _boxes(data: bytes) -> _Boxes:
    """Kind and content of each box of a level."""
    at = 0
    for _ in range(_BOXES):
        if at + 8 > len(data):
            return
        size, head = _number(data, at, 4), 8
        if size == 1:
            size, head = _number(data, at + 8, 8), 16
        end = len(data) if size == 0 else at + size
        if not at + head <= end <= len(data):
            raise Unreadable
        yield data[at + 4 : at + 8], data[at + head : end]
        at = end
    raise Unreadable


def _number(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise Unreadable
    return int.from_bytes(data[at : at + size], "big")
