"""File names of strangers: shown safely, split safely, ordered as a person would."""

import re
import unicodedata
from pathlib import PurePosixPath

from ntkcore.errors import DataError

MAX_NAME = 500  # characters of a path inside an import
MAX_CLASS = 100  # characters of a class name

# macOS and its file servers, Windows (FOUND.000 and folders named by a security identifier too), Linux, Synology, QNAP, NetApp
_LEFTOVERS = re.compile(
    r"""\..* | :2e.* | __macosx | network\ trash\ folder | temporary\ items | thevolumesettingsfolder | thefindbycontentfolder
    | thumbs\.db | ehthumbs(_vista)?\.db | desktop\.ini | \$recycle\.bin | recycler | system\ volume\ information
    | found\.\d{3} | s-1-5(-\d+)*
    | lost\+found | @eadir | @tmp | @sharesnap | \#recycle | \#snapshot
    | @recycle | @recently-snapshot | @transcode | @__thumb | ~snapshot""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
# what people write though it does not print by itself: joiners between letters of other scripts and emoji, the letters of a flag
_WRITTEN = re.compile(r"((?<=[^\x00-\xff])[\u200c\u200d](?=[^\x00-\xff])|(?<=\U0001f3f4)[\U000e0061-\U000e007a]+\U000e007f)")
_NUMBER = re.compile(r"[+-]\d{1,18}")
_DRIVE = re.compile(r"^[A-Za-z]:")


def escaped(name: str) -> str:
    """The name with every character that does not print (control, direction marks, lone surrogates) written as its escape.

    Joiners between letters of other scripts and between emoji, and the letters of a flag, stay as people write them.
    """
    pieces = _WRITTEN.split(name)
    return "".join(piece if place % 2 else "".join(map(_escaped, piece)) for place, piece in enumerate(pieces))


def _escaped(character: str) -> str:
    return character if character.isprintable() else character.encode("unicode_escape").decode("ascii")


def shown(name: str, length: int = 120) -> str:
    """The name in quotes for a message: escaped, and its middle left out if it is long."""
    text = escaped(name)
    if len(text) > length:
        text = f"{text[: length // 2]}…{text[-length // 3 :]}"
    return f"'{text}'"


def safe_parts(name: str, *, where: str) -> tuple[str, ...]:
    """Parts of a path inside an archive or folder, in Unicode normal form C.

    Args:
        name: the path as stored; ``\\`` separates like ``/``.
        where: what holds it, for messages, e.g. ``"the zip"``.

    Raises:
        DataError: a path that leaves the archive (absolute, drive letter, ``..``), is not text, or is too long.
    """
    try:
        name.encode("utf-8")
    except UnicodeEncodeError as error:
        raise DataError(f"The file name {shown(name)} in {where} is not UTF-8.", "Rename the file, then import again.") from error
    slashed = name.replace("\\", "/")
    if slashed.startswith("/") or _DRIVE.match(slashed) or ".." in slashed.split("/"):
        raise DataError(f"The path {shown(name)} in {where} leads outside of it.", "Pack the folders again with plain relative paths.")
    if len(name) > MAX_NAME:
        raise DataError(
            f"The path {shown(name)} in {where} has {len(name):,} characters; at most {MAX_NAME} are allowed.",
            "Shorten the file or folder name, then import again.",
        )
    return PurePosixPath(unicodedata.normalize("NFC", slashed)).parts


def is_hidden(parts: tuple[str, ...]) -> bool:
    """Whether a path is hidden, or left behind by an operating or storage system (``__MACOSX/``, ``$RECYCLE.BIN/``, ``@eaDir/``)."""
    return any(_LEFTOVERS.fullmatch(part) for part in parts)


def natural_key(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key with numbers by value, signs too where the name is a number: ``"-1" < "2" < "10" < "cat"``."""
    if _NUMBER.fullmatch(name):
        return ((0, int(name), ""), (2, 0, name))
    pieces = re.split(r"(\d{1,18})", name.casefold())
    return (*((0, int(piece), "") if piece.isdecimal() else (1, 0, piece) for piece in pieces if piece), (2, 0, name))


def clean_class_names(names: tuple[str, ...]) -> tuple[str, ...]:
    """Class names as they are shown: normal form C, without surrounding spaces, escaped.

    Raises:
        DataError: an empty or very long name, or two names that differ only in case, spacing or Unicode form.
    """
    cleaned = tuple(escaped(" ".join(unicodedata.normalize("NFC", name).split())) for name in names)
    seen: dict[str, str] = {}
    for original, name in zip(names, cleaned, strict=True):
        if not name:
            raise DataError("A class has an empty name.", "Give every class a name, then import again.")
        if len(name) > MAX_CLASS:
            raise long_class(name)
        alike = _WRITTEN.sub("", unicodedata.normalize("NFKC", name)).casefold()
        if alike in seen:
            raise DataError(
                f"Two classes have nearly the same name: {shown(seen[alike])} and {shown(original)}.",
                "Merge them or give them different names, then import again.",
            )
        seen[alike] = original
    return cleaned


def long_class(name: str) -> DataError:
    """The error for a class name of more characters than allowed."""
    return DataError(f"The class name {shown(name)} is longer than {MAX_CLASS} characters.", "Shorten it, then import again.")
