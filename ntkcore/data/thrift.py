"""Structures in thrift's compact protocol, as far as the footer and the pages of a Parquet file need them.

A structure is a dictionary from field to value: numbers, bytes, lists and structures; nothing else is kept.
https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from typing import Any

Structure = dict[int, Any]

_DEEPEST = 16  # structures and lists within each other
_MOST = 400_000  # structures and elements of lists: some 20,000 columns of row groups
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _MAP, _STRUCT = range(1, 13)


def read_structure(data: bytes) -> tuple[Structure, int]:
    """The structure that begins the data, and where it ends.

    Raises:
        IndexError: the data end before it does.
        ValueError: it is none, or too deep or too large to be one of a Parquet file.
    """
    reader = _Reader(data)
    return reader.structure(0), reader.at


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.at = 0
        self._data = data
        self._left = _MOST

    def structure(self, depth: int) -> Structure:
        found: Structure = {}
        field = 0
        while head := self._byte():
            field = field + (head >> 4) if head >> 4 else self._signed()
            found[field] = self._value(head & 15, depth, inside=False)
        return found

    def _value(self, kind: int, depth: int, *, inside: bool) -> Any:
        """A value; a truth value is in its type, except inside of lists."""
        if kind in (_TRUE, _FALSE):
            return bool(self._byte() == _TRUE if inside else kind == _TRUE)
        if kind == _BYTE:
            return self._byte()
        if kind in (_I16, _I32, _I64):
            return self._signed()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind not in (_LIST, _SET, _STRUCT) or depth >= _DEEPEST:
            raise ValueError("no structure of a Parquet file")
        if kind == _STRUCT:
            self._count(1)
            return self.structure(depth + 1)
        head = self._byte()
        length = head >> 4 if head >> 4 < 15 else self._varint()
        self._count(length)
        return [self._value(head & 15, depth + 1, inside=True) for _ in range(length)]

    def _count(self, more: int) -> None:
        self._left -= more
        if self._left < 0:
            raise ValueError("too many values")

    def _byte(self) -> int:
        byte = self._data[self.at]
        self.at += 1
        return byte

    def _bytes(self, length: int) -> bytes:
        if length > len(self._data) - self.at:
            raise IndexError("the data end")
        self.at += length
        return self._data[self.at - length : self.at]

    def _varint(self) -> int:
        value = 0
        for shift in range(0, 70, 7):
            byte = self._byte()
            value |= (byte & 127) << shift
            if byte < 128:
                return value
        raise ValueError("a number of more than 64 bits")

    def _signed(self) -> int:
        number = self._varint()
        return (number >> 1) ^ -(number & 1)
