"""What a file is, by its first bytes, where it is nothing that can be imported: said by its name, with what to do instead."""

import re
from collections.abc import Sequence

from ntkcore.data.decode import looks_like_image, unread_image
from ntkcore.errors import DataError

START = 512  # bytes that are looked at: a tar says what it is at 257

_PACK = "Unpack it, and pack the images as a zip with one folder per class."
_NPZ = "Save images and labels together: numpy.savez(file, images=…, labels=…)."
_TABLE = "Save its table as CSV or Parquet."
_FOLDERS = "Put the images into one folder per class, as PNG or JPEG, and pack these as a zip."

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", _PACK),
    (b"Rar!\x1a\x07", "a RAR archive", _PACK),
    (b"\x1f\x8b", "packed with gzip (a tar.gz, perhaps)", _PACK),
    (b"\xfd7zXZ\0", "packed with xz (a tar.xz, perhaps)", _PACK),
    (b"\x28\xb5\x2f\xfd", "packed with zstandard", _PACK),
    (b"LZIP", "packed with lzip", _PACK),
    (b"MSCF", "a cabinet archive", _PACK),
    (b"xar!", "a xar archive", _PACK),
    (b"\x93NUMPY", "a single NumPy array (npy)", _NPZ),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", _NPZ),
    (b"CDF\x01", "a NetCDF file", _NPZ),
    (b"CDF\x02", "a NetCDF file", _NPZ),
    (b"MATLAB 5.0", "a MATLAB file", _NPZ),
    (b"\0\0\x08\x01", "an idx file, as MNIST has them", _NPZ),
    (b"\0\0\x08\x03", "an idx file, as MNIST has them", _NPZ),
    (b"ARROW1", "an Arrow or Feather file", "Write the same table as Parquet."),
    (b"FEA1", "a Feather file", "Write the same table as Parquet."),
    (b"Obj\x01", "an Avro file", "Write the same table as Parquet."),
    (b"ORC", "an ORC file", "Write the same table as Parquet."),
    (b"SQLite format 3\0", "an SQLite database", _TABLE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet or document of an older Office", _TABLE),
    (b"%PDF", "a PDF", _FOLDERS),
    (b"{\\rtf", "an RTF document", _TABLE),
    (b"\x7fELF", "a program", _FOLDERS),
    (b"MZ", "a program", _FOLDERS),
    (b"ID3", "a sound file", _FOLDERS),
    (b"OggS", "a sound or film file", _FOLDERS),
    (b"fLaC", "a sound file", _FOLDERS),
    (b"\x1aE\xdf\xa3", "a film (Matroska or WebM)", _FOLDERS),
    *((b"\x80" + bytes([protocol]), "a Python pickle, which is not read for safety", _NPZ) for protocol in range(2, 6)),
)
_JSON = re.compile(rb"""\s*[{\[]\s*[\]}\["{\d-]""")
_TEXT_LIKE: tuple[tuple[bytes, str, str], ...] = (
    (b"<!doctype", "a web page", _TABLE),
    (b"<html", "a web page", _TABLE),
    (b"<?xml", "XML", _TABLE),
    (b"<svg", "an SVG drawing", _FOLDERS),
)


def kind_of(start: bytes) -> tuple[str, str] | None:
    """What a file that begins with these bytes is and what to do about it; None where it may be a zip, a Parquet file or CSV.

    Args:
        start: the first ``START`` bytes, or all of a shorter file.
    """
    binary = b"\0" in start  # else letters are letters: a table may begin with BMI or ORC
    if binary and looks_like_image(start):
        return "a single image", _FOLDERS
    for magic, what, remedy in _MAGIC:
        if start.startswith(magic) and (binary or not magic.isalnum()):
            return what, remedy
    if start[:3] == b"BZh" and start[4:10] == b"1AY&SY":
        return "packed with bzip2 (a tar.bz2, perhaps)", _PACK
    if start[257:262] == b"ustar":
        return "a tar archive", _PACK
    if start[4:8] == b"ftyp":
        return unread_image(start) or ("a film", _FOLDERS)
    if binary and start[:4] == b"RIFF":
        return "a sound or film file", _FOLDERS
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if _JSON.match(text):
        return "JSON", _TABLE
    return next(((what, remedy) for magic, what, remedy in _TEXT_LIKE if text.startswith(magic)), None)


def other_kind(found: tuple[str, str]) -> DataError:
    """The error for a file of a kind that cannot be imported."""
    what, remedy = found
    return DataError(f"The file is {what}. A zip or folder of images, a Parquet file, an npz or a CSV file can be imported.", remedy)


def refuse_other(start: bytes) -> None:
    """Raises :class:`DataError`, which names it, for the first bytes of a file of a kind that cannot be imported."""
    found = kind_of(start)
    if found is not None:
        raise other_kind(found)


def kind_of_zip(names: Sequence[str]) -> tuple[str, str] | None:
    """What a zip with these paths is, if it is a document or a model and no archive of images."""
    found = set(names)
    if "[Content_Types].xml" in found:
        for folder, what in (("xl/", "an Excel workbook"), ("word/", "a Word document"), ("ppt/", "a PowerPoint presentation")):
            if any(name.startswith(folder) for name in names):
                return what, _TABLE if folder == "xl/" else _FOLDERS
        return "an Office document", _TABLE
    if "mimetype" in found and "content.xml" in found:
        return "an OpenDocument file", _TABLE
    if "META-INF/MANIFEST.MF" in found:
        return "a Java program", _FOLDERS
    if any(name.endswith(("/data.pkl", "/.data/serialization_id")) for name in names):
        return "a PyTorch file", _NPZ
    if ".zgroup" in found or ".zarray" in found or "zarr.json" in found:
        return "a Zarr array", _NPZ
    return None
