"""Numbers in an address: sets of images as ranges, short lists as they are."""

import base64
import re
import zlib
from collections.abc import Sequence

_LONGEST_TEXT = 600  # characters of ranges before they are compressed
_LONGEST_RANGES = 100_000  # images a link may name in one place, each as often as it is named
_LONGEST_LIST = 1000  # whole numbers a list may have


def write_ranges(indices: Sequence[int]) -> str:
    """Indices as ranges: ``[0, 1, 2, 7]`` is ``"0-2,7"``; many scattered ones as a compressed set, ``"z…"``, to keep links short."""
    parts: list[str] = []
    ordered = sorted(set(indices))
    start = 0
    for position in range(1, len(ordered) + 1):
        if position == len(ordered) or ordered[position] != ordered[position - 1] + 1:
            first, last = ordered[start], ordered[position - 1]
            parts.append(str(first) if first == last else f"{first}-{last}")
            start = position
    text = ",".join(parts)
    if len(text) <= _LONGEST_TEXT:
        return text
    bits = bytearray(ordered[-1] // 8 + 1)
    for index in ordered:
        bits[index // 8] |= 1 << index % 8
    return "z" + base64.urlsafe_b64encode(zlib.compress(bytes(bits), 9)).decode()


def read_ranges(text: str) -> tuple[int, ...]:
    """Ranges as sorted indices, the inverse of :func:`write_ranges`; ValueError when malformed."""
    if text.startswith("z"):
        return _read_bits(text[1:])
    found: set[int] = set()
    named = 0
    for part in filter(None, text.split(",")):
        match = re.fullmatch(r"(\d{1,7})(?:-(\d{1,7}))?", part)
        if match is None:
            raise ValueError(f"{part[:40]!r} is not a number or a range such as 3-7")
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise ValueError(f"{part!r} runs backwards")
        named += last - first + 1
        if named > _LONGEST_RANGES:
            raise ValueError(f"names more than {_LONGEST_RANGES} images")
        found.update(range(first, last + 1))
    return tuple(sorted(found))


def write_labels(pairs: Sequence[tuple[int, int]]) -> str:
    """Images with a class each, class by class: ``[(12, 0), (40, 0), (7, 1)]`` is ``"0~12,40.1~7"``."""
    classes = sorted({label for _, label in pairs})
    return ".".join(f"{label}~{write_ranges([image for image, given in pairs if given == label])}" for label in classes)


def read_labels(text: str) -> tuple[tuple[int, int], ...]:
    """Pairs of image and class, by image, the inverse of :func:`write_labels`; ValueError when malformed."""
    found: list[tuple[int, int]] = []
    for part in filter(None, text.split(".")):
        match = re.fullmatch(r"(\d{1,7})~(.+)", part)
        if match is None:
            raise ValueError(f"{part[:40]!r} is not a class and its images, such as 1~3-7,12")
        images = read_ranges(match[2])
        if len(found) + len(images) > _LONGEST_RANGES:
            raise ValueError(f"names more than {_LONGEST_RANGES} images")
        found += [(image, int(match[1])) for image in images]
    return tuple(sorted(found))


def _read_bits(text: str) -> tuple[int, ...]:
    unpacking = zlib.decompressobj()
    try:
        bits = unpacking.decompress(base64.urlsafe_b64decode(text), _LONGEST_RANGES // 8 + 1)
    except (zlib.error, ValueError):
        raise ValueError("is not a set of images") from None
    if unpacking.unconsumed_tail or not unpacking.eof:
        raise ValueError(f"names more than {_LONGEST_RANGES} images, or is cut off")
    found = tuple(8 * byte + bit for byte, value in enumerate(bits) for bit in range(8) if value >> bit & 1)
    if len(found) > _LONGEST_RANGES:
        raise ValueError(f"names more than {_LONGEST_RANGES} images")
    return found


def read_integers(text: str, between: str) -> tuple[int, ...]:
    """Whole numbers written with ``between`` between them; ValueError when malformed."""
    parts = text.split(between)
    if len(parts) > _LONGEST_LIST:
        raise ValueError(f"has {len(parts):,} numbers; at most {_LONGEST_LIST:,} are allowed")
    for part in parts:
        if not re.fullmatch(r"[0-9]{1,7}", part):
            raise ValueError(f"{part[:40]!r} is not a whole number (several are written as {between.join(('5', '10', '20'))})")
    return tuple(map(int, parts))
