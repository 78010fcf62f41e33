"""Small files that unpack to gigabytes, and what refusing one costs: run as a program with a folder and a bomb's name.

It says how many bytes of memory the process had at most beyond those it had when idle, and what the refusal said.
"""

import json
import struct
import sys
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

ROWS = 32_000
_LONG = 100_000  # characters or bytes of the one value that every row has: 3.2 GB


def _repeated(kind: pa.DataType) -> pa.DictionaryArray:
    value = b"\x89PNG\r\n\x1a\n" + b"x" * _LONG if kind == pa.binary() else "x" * _LONG
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(ROWS, np.int32)), pa.array([value], kind))


def _parquet(path: Path, columns: dict, **options) -> Path:
    pq.write_table(pa.table(columns), path, compression="zstd", **options)
    return path


def label(path):
    return _parquet(path, {"image": [b"x"] * ROWS, "label": _repeated(pa.string())})


def label_of_texts(path):
    return _parquet(path, {"text": ["a word"] * ROWS, "label": _repeated(pa.string())})


def text(path):
    return _parquet(path, {"text": _repeated(pa.string()), "label": [0, 1] * (ROWS // 2)})


def image(path):
    return _parquet(path, {"image": _repeated(pa.binary()), "label": [0, 1] * (ROWS // 2)})


def guessed_image(path):
    return _parquet(path, {"scan": _repeated(pa.binary()), "label": [0, 1] * (ROWS // 2)})


def image_path(path):
    images = pa.StructArray.from_arrays([pa.array([b"x"] * ROWS), _repeated(pa.string())], ["bytes", "path"])
    return _parquet(path, {"image": images, "label": [0, 1] * (ROWS // 2)})


def one_large_value(path):
    """A page of 300 MB of one letter, packed to a few kilobytes."""
    return _parquet(path, {"text": ["x" * 300_000_000, "y"], "label": [0, 1]}, use_dictionary=False)


def lying_footer(path):
    """The same, and the footer says that the column unpacks to less than a kilobyte."""
    data = one_large_value(path).read_bytes()
    size = pq.ParquetFile(path).metadata.row_group(0).column(0).total_uncompressed_size
    total = pq.ParquetFile(path).metadata.row_group(0).total_byte_size
    for number in {size, total}:
        true = _varint(2 * number)
        assert true in data
        data = data.replace(true, bytes([0x82, *[0x80] * (len(true) - 2), 0]))
    path.write_bytes(data)
    assert pq.ParquetFile(path).metadata.row_group(0).column(0).total_uncompressed_size < 2**20 * 64
    return path


def wide_missing(path):
    """Missing values of a fixed width of 100 MB: nothing in the file, and a column of them in memory."""
    schema = pa.schema([("image", pa.binary(100_000_000)), ("label", pa.int64())])
    with pq.ParquetWriter(path, schema) as writer:
        for i in range(4):
            writer.write_table(pa.table([pa.nulls(1, schema.field(0).type), pa.array([i % 2])], schema=schema))
    return path


def many_entries(path):
    """A zip of 300,000 empty files."""
    with path.open("wb") as file:
        count = 300_000
        names = [b"%d.png" % i for i in range(count)]
        table = b"".join(b"PK\1\2" + struct.pack("<HHHHHHIIIHHHHHII", *[20, 20] + [0] * 7, len(n), *[0] * 6) + n for n in names)
        file.write(b"PK\3\4" + bytes(26))
        at = file.tell()
        file.write(table)
        file.write(struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(table), at, 0))
    return path


def zeros_in_a_zip(path):
    """A file of 190 MB within the limits of its ratio (200) and of one image (191 MiB)."""
    rng = np.random.default_rng(0)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("cat", "dog"):
            noise = rng.integers(0, 256, 1_000_000, dtype=np.uint8).tobytes()
            archive.writestr(f"{name}/1.png", noise + bytes(189_000_000))
            archive.writestr(f"{name}/2.png", noise[:100])
    return path


def wide_png(path):
    """An image of 10,000 × 10,000 pixels in 100 KB."""
    row = bytes(10_001)
    body = zlib.compress(row * 10_000, 9)

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 10_000, 10_000, 8, 0, 0, 0, 0))
    png = b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"):
            archive.writestr(name, png)
    return path


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def made_of(parts, depth):
    """A photograph whose every item is a grid of the next one, ``parts`` times: work that grows with the power of the depth."""
    items = range(1, depth + 2)
    kinds = [b"grid"] * depth + [b"hvc1"]
    entries = b"".join(box(b"infe", struct.pack(">IHH4sx", 2 << 24, item, 0, kind)) for item, kind in zip(items, kinds, strict=True))
    dimg = b"".join(box(b"dimg", struct.pack(f">HH{parts}H", item, parts, *[item + 1] * parts)) for item in items[:-1])
    ispe = box(b"ipco", box(b"ispe", struct.pack(">III", 0, 100, 100)))
    ipma = box(b"ipma", struct.pack(">II", 0, len(items)) + b"".join(struct.pack(">HBB", item, 1, 1) for item in items))
    meta = [
        box(b"pitm", struct.pack(">IH", 0, 1)),
        box(b"iinf", struct.pack(">IH", 0, len(items)) + entries),
        box(b"iref", bytes(4) + dimg),
        box(b"iprp", ispe + ipma),
    ]
    return box(b"ftyp", b"heic\0\0\0\0mif1") + box(b"meta", bytes(4) + b"".join(meta))


def tiles_of_a_photograph(path):
    """A HEIC photograph of 100 × 100 pixels, made of one tile of as many, 60,000 times."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("cat/1.heic", "cat/2.heic", "dog/1.heic", "dog/2.heic"):
            archive.writestr(name, made_of(60_000, 1))
    return path


BOMBS = {
    make.__name__: make
    for make in (
        label,
        label_of_texts,
        text,
        image,
        guessed_image,
        image_path,
        one_large_value,
        lying_footer,
        wide_missing,
        many_entries,
        zeros_in_a_zip,
        wide_png,
        tiles_of_a_photograph,
    )
}


def _varint(number: int) -> bytes:
    found = []
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def _status(field: str) -> int:
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def main(folder: Path, bomb: Path) -> None:
    """Import a small set, so that everything is loaded, then the bomb."""
    from ntkcore.data import holds_texts, import_set
    from ntkcore.errors import DataError
    from ntkcore.settings import Settings

    settings = Settings(cache_dir=folder / "cache")
    for name in ("small_images", "small_texts"):
        import_set(folder / name, settings, name=name)
    idle = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    said = "nothing"
    try:
        holds_texts(bomb, settings)
        import_set(bomb, settings, name="bomb")
    except DataError as error:
        said = str(error)
    print(json.dumps({"bytes": _status("VmHWM") - idle, "said": said, "sets": len(list((folder / "cache" / "sets").iterdir()))}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
