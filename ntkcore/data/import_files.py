"""Images from a zip or a folder, one folder per class."""

import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from ntkcore.data.decode import looks_like_image, unread_image
from ntkcore.data.filenames import is_hidden, safe_parts, shown
from ntkcore.data.import_common import FoundFiles, Limits, has_image_extension, too_big, too_many
from ntkcore.errors import DataError
from ntkcore.settings import Settings

TABLES = frozenset({".csv", ".tsv", ".jsonl", ".ndjson", ".parquet"})
_TABLE = 16 << 20  # bytes of a table of images
_CHUNK = 1 << 20
_LARGE, _LARGE_RATIO = 16 << 20, 20.0  # of an entry that is read whole
_DIRECTORY_BYTES = 16 << 20  # of a zip's table of contents: 160 bytes for each of 100,000 files
_UNICODE_PATH = 0x7075  # Info-ZIP's extra field of a name
_ENTRY = b"PK\1\2"
_ENCRYPTED, _UTF8 = 0x1, 0x800  # flags of a zip entry
_KINDS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # the others unpack without a bound on what one read yields
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


class SafeZip:
    """A zip whose entries have been checked before anything is unpacked, and whose reading is bounded.

    Raises:
        DataError: on opening: damaged, encrypted, links, paths outside, too many files or too many bytes; on reading: the same
            for what turns out only then.
    """

    def __init__(self, path: Path, limits: Limits, *, where: str = "the zip") -> None:
        self.where = where
        self.limits = limits
        self._file = _BoundedFile(path, limits.files)
        try:
            self._zip = zipfile.ZipFile(self._file)
            self.entries = [entry for entry in self._zip.infolist() if not entry.is_dir()]
            self.parts = [self._check(entry) for entry in self.entries]
            if len(self.entries) > limits.files:
                raise too_many(where.capitalize(), limits.files)
            if sum(entry.file_size for entry in self.entries) > limits.total_bytes:
                raise too_big(where.capitalize(), limits.total_bytes)
        except UnicodeDecodeError as error:
            self.close()
            raise DataError(f"A file name in {where} is not UTF-8.", "Rename the files, or pack them again with UTF-8 names.") from error
        except _ZIP_ERRORS as error:
            self.close()
            raise self._damaged() from error
        except DataError:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def start(self, entry: zipfile.ZipInfo) -> bytes:
        """The first 16 bytes of an entry."""
        try:
            with self._zip.open(entry) as file:
                return file.read(16)
        except _ZIP_ERRORS as error:
            raise self._damaged(entry) from error

    def read(self, entry: zipfile.ZipInfo, limit: int) -> bytes:
        """All bytes of an entry, checked against its checksum; refused above ``limit`` bytes, or where many come from few."""
        if entry.file_size > limit:
            raise file_too_big(entry.filename, limit)
        if entry.file_size > _LARGE and entry.file_size > _LARGE_RATIO * max(entry.compress_size, 1):
            raise self._packed(entry.filename, _LARGE_RATIO)
        data = bytearray()
        try:
            with self._zip.open(entry) as file:
                while chunk := file.read(_CHUNK):
                    data += chunk
                    if len(data) > limit:
                        raise file_too_big(entry.filename, limit)
        except _ZIP_ERRORS as error:
            raise self._damaged(entry) from error
        return bytes(data)

    def open(self, entry: zipfile.ZipInfo) -> IO[bytes]:
        """An entry for reading in pieces of at most a mebibyte."""
        try:
            return self._zip.open(entry)
        except _ZIP_ERRORS as error:
            raise self._damaged(entry) from error

    def _check(self, entry: zipfile.ZipInfo) -> tuple[str, ...]:
        name = entry.orig_filename
        if not entry.flag_bits & _UTF8:
            raw = name.encode("cp437")
            try:
                name = (_unicode_path(entry.extra, raw) or raw).decode("utf-8")
            except UnicodeError as error:
                raise DataError(
                    f"The file name {shown(name)} in {self.where} is not UTF-8.", "Rename the file, or pack again with UTF-8 names."
                ) from error
        parts = safe_parts(name, where=self.where)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        if kind not in (0, stat.S_IFREG):
            raise DataError(f"{shown(name)} in {self.where} is a link or device, not a file.", "Pack the files themselves, without links.")
        if entry.flag_bits & _ENCRYPTED:
            raise DataError(f"{self.where.capitalize()} is encrypted.", "Pack it again without a password.")
        if entry.compress_type not in _KINDS:
            raise DataError(
                f"{shown(name)} in {self.where} is packed with an unusual method.", "Pack again with ordinary (deflate) compression."
            )
        if entry.file_size > _CHUNK and entry.file_size > self.limits.ratio * max(entry.compress_size, 1):
            raise self._packed(name, self.limits.ratio)
        return parts

    def _packed(self, name: str, ratio: float) -> DataError:
        return DataError(
            f"{shown(name)} in {self.where} unpacks to more than {ratio:g} times its size.",
            "This looks like an attack on the server's memory; remove the file, or save it as PNG, then import again.",
        )

    def _damaged(self, entry: zipfile.ZipInfo | None = None) -> DataError:
        what = f"{shown(entry.filename)} in {self.where}" if entry else self.where.capitalize()
        return DataError(f"{what} is damaged.", "Pack it again, or upload it again.")


class _BoundedFile(io.FileIO):
    """A file that refuses to be read in one huge piece: a zip's header says how large its table of contents is, and may lie.

    A piece with too many entries is refused, too, since each of them becomes an object of half a kilobyte.
    """

    def __init__(self, path: Path, entries: int) -> None:
        super().__init__(path)
        self._entries = entries

    def read(self, size: int | None = -1, /) -> bytes:
        if size is None or size < 0:
            size = max(os.fstat(self.fileno()).st_size - self.tell(), 0)
        if size > _DIRECTORY_BYTES:
            raise DataError("The zip's table of contents is too large.", "Split it, or import a part of it.")
        data = super().read(size) or b""
        if len(data) > _CHUNK and data.count(_ENTRY) > self._entries:
            raise too_many("The zip", self._entries)
        return data


def _unicode_path(extra: bytes, raw: bytes) -> bytes | None:
    """The name in UTF-8 that many programs write beside one in the encoding of their system, if it is still that name's."""
    while len(extra) >= 4:
        kind, length = struct.unpack_from("<HH", extra)
        if kind == _UNICODE_PATH and length > 5 and extra[4] == 1 and extra[5:9] == struct.pack("<I", zlib.crc32(raw)):
            return extra[9 : 4 + length]
        extra = extra[4 + length :]
    return None


def file_too_big(name: str, limit: int) -> DataError:
    """The error for one file above its limit."""
    return DataError(f"The file {shown(name)} is larger than the {limit / 2**20:,.0f} MiB allowed.", "Scale it down, then import again.")


def files_in_zip(archive: SafeZip) -> FoundFiles:
    """The images of a zip, what may be a table of them, and what of it is neither."""
    found = FoundFiles(archive.where)
    for entry, parts in zip(archive.entries, archive.parts, strict=True):
        sort_file(found, parts, partial(archive.start, entry), partial(archive.read, entry), archive.limits.file_bytes, "")
    return found


def files_in_folder(folder: Path, limits: Limits) -> FoundFiles:
    """The images of a folder, what may be a table of them, and what of it is neither. Links are not followed.

    Raises:
        DataError: too many files, names that are not UTF-8, or a folder that cannot be read.
    """
    found = FoundFiles("the folder", root=folder.resolve())
    count = 0
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        try:
            entries = sorted(os.scandir(current), key=lambda entry: entry.name)
        except OSError as error:
            raise DataError(f"The folder {shown(current.name)} could not be read: {error.strerror}.", "Check its permissions.") from error
        for entry in entries:
            path = Path(entry.path)
            relative = path.relative_to(folder).as_posix()
            parts = safe_parts(relative, where="the folder")
            if entry.is_dir(follow_symlinks=False):
                if is_hidden(parts):
                    found.skip(f"{relative}/", "left by the operating system")
                else:
                    waiting.append(path)
            elif not entry.is_file(follow_symlinks=False):
                found.skip(relative, "a link or device; links are not followed")
            else:
                sort_file(found, parts, partial(_start, path), partial(_read, path, relative), limits.file_bytes, relative)
            count += 1
            if count > limits.files:
                raise too_many("The folder", limits.files)
    return found


def sort_file(
    found: FoundFiles, parts: tuple[str, ...], start: Callable[[], bytes], read: Callable[[int], bytes], limit: int, place: str
) -> None:
    """Take a file as an image or a table by its extension, or, if that says nothing, as an image by its first bytes; else skip it."""
    name = "/".join(parts)
    if is_hidden(parts):
        found.skip(name, "left by the operating system")
    elif has_image_extension(name) or looks_like_image(first := start()):
        found.parts.append(parts)
        found.readers.append(partial(read, limit))
        found.places.append(place)
    elif PurePosixPath(name).suffix.lower() in TABLES:
        found.tables.append((parts, partial(read, min(limit, _TABLE))))
    else:
        other = unread_image(first)
        found.skip(name, f"{other[0]}, which cannot be read here" if other else "not an image that can be read")


def check_server_path(path: Path, settings: Settings) -> Path:
    """The resolved path of a file or folder on the server, if it lies in an allowed folder.

    Raises:
        DataError: no folder is allowed, or the path (links resolved) is in none of them or does not exist.
    """
    if not settings.import_roots:
        raise DataError("Importing from server folders is switched off.", "Upload a file, or set NTK_IMPORT_ROOTS to the allowed folders.")
    roots = [root.resolve() for root in settings.import_roots]
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a zero byte
        raise DataError(f"{shown(str(path))} is not a path that can be followed.", "Check its spelling.") from error
    if not any(resolved.is_relative_to(root) for root in roots):
        raise DataError(
            f"{shown(str(path))} is not inside an allowed folder.",
            f"Allowed are: {', '.join(map(str, settings.import_roots))}.",
        )
    if not resolved.exists():
        raise DataError(f"There is no {shown(str(path))} on the server.", "Check its spelling.")
    return resolved


def _start(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(16)
    except OSError as error:
        raise _unreadable(path, error) from error


def _read(path: Path, name: str, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _unreadable(path, error) from error
    if len(data) > limit:
        raise file_too_big(name, limit)
    return data


def _unreadable(path: Path, error: OSError) -> DataError:
    return DataError(f"The file {shown(path.name)} could not be read: {error.strerror}.", "Check its permissions.")
