"""Opening what holds images: zips, folders, Parquet files, npz, tables; one, or several together; with those of a set that is there."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from ntkcore.data.class_folders import sort_into_classes
from ntkcore.data.file_kinds import START, kind_of_zip, other_kind, refuse_other
from ntkcore.data.filenames import shown
from ntkcore.data.image_table import images_by_table
from ntkcore.data.import_common import ArrayImages, EncodedImages, FoundFiles, Limits
from ntkcore.data.import_files import TABLES, SafeZip, files_in_folder, files_in_zip
from ntkcore.data.import_npz import images_in_npz, is_npz
from ntkcore.data.import_parquet import images_in_parquet
from ntkcore.data.merged import encoded_arrays, merged, more_of
from ntkcore.errors import DataError
from ntkcore.settings import Settings


@contextmanager
def opened_images(
    paths: Sequence[Path], settings: Settings, limits: Limits, more: str | None = None, names: Sequence[str] = ()
) -> Iterator[EncodedImages | ArrayImages]:
    """The images of some files or folders, readable while the context lasts; nothing of them is decoded yet.

    Args:
        paths: what holds them; several become one set.
        settings: of the cache.
        limits: what may be read.
        more: id of a set whose images come before them.
        names: of the files, where those of the paths say nothing.

    Raises:
        DataError: whatever is wrong with a file, by name.
        DataMissing: the set is not here.
    """
    if not paths:
        raise DataError("No file was named.", "Choose one.")
    with ExitStack() as stack:
        several = len(paths) > 1
        stems = [Path(name).stem for name in (names or [path.name for path in paths])]
        found = [_opened(path, settings, limits, stack, stem if several else "") for path, stem in zip(paths, stems, strict=True)]
        if not several and more is None:
            yield found[0]
            return
        encoded = [one if isinstance(one, EncodedImages) else encoded_arrays(one) for one in found]
        images = merged(list(zip(stems, encoded, strict=True))) if several else encoded[0]
        yield images if more is None else more_of(more, images, settings)


def _opened(path: Path, settings: Settings, limits: Limits, stack: ExitStack, loose: str) -> EncodedImages | ArrayImages:
    if path.is_dir():
        return _in_folder(path, settings, limits, loose)
    start = _first_bytes(path)
    if start.startswith(b"PAR1"):
        return images_in_parquet(path, limits)
    if start.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        archive = SafeZip(path, limits)
        stack.callback(archive.close)
        if other := kind_of_zip(["/".join(parts) for parts in archive.parts]):
            raise other_kind(other)
        return images_in_npz(archive, limits) if is_npz(archive) else _sorted(files_in_zip(archive), limits, loose)
    if path.suffix.lower() in TABLES and not path.resolve().is_relative_to(settings.cache_dir.resolve()):
        found = files_in_folder(path.parent, limits)
        found.tables = [(parts, read) for parts, read in found.tables if parts == (path.name,)]
        images = images_by_table(found, limits)
        if images is not None:
            return images
    refuse_other(start)
    raise DataError("The file is neither a zip nor a Parquet file nor an npz.", "Pack the images as a zip with one folder per class.")


def _in_folder(folder: Path, settings: Settings, limits: Limits, loose: str) -> EncodedImages:
    """The images of a folder; of one that holds Parquet files and no images, theirs."""
    found = files_in_folder(folder, limits)
    shards = [folder.joinpath(*parts) for parts, _ in sorted(found.tables) if parts[-1].lower().endswith(".parquet")]
    if found.parts or not shards:
        return _sorted(found, limits, loose)
    each = [(path.stem, images_in_parquet(path, limits)) for path in shards]
    return merged(each) if len(each) > 1 else each[0][1]


def _sorted(found: FoundFiles, limits: Limits, loose: str) -> EncodedImages:
    """Images by the table among them, or by their folders."""
    by_table = images_by_table(found, limits)
    return sort_into_classes(found, loose) if by_table is None else by_table


def _first_bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            start = file.read(START)
    except FileNotFoundError as error:
        raise DataError(f"There is no file {shown(path.name)}.", "Check its spelling.") from error
    except OSError as error:
        raise DataError(f"The file {shown(path.name)} could not be read: {error.strerror}.", "Check its permissions.") from error
    if not start:
        raise DataError("The file is empty.", "Upload it again.")
    return start
