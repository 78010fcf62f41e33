import io
import itertools
import struct
import time
import zlib

import numpy as np
import pytest
from PIL import Image

from ntkcore.data import decode as module
from ntkcore.data.decode import decode, decode_all, looks_like_image, read_head, square
from ntkcore.errors import DataError

LIMIT = 10_000


def save(image, kind="PNG", **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def oriented(kind, orientation):
    """A 6 × 4 image whose left half is black, marked as turned."""
    pixels = np.full((4, 6), 255, np.uint8)
    pixels[:, :3] = 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    return save(Image.fromarray(pixels), kind, exif=exif, **({"quality": 95} if kind == "JPEG" else {}))


@pytest.mark.parametrize("kind", ["PNG", "BMP", "GIF", "TIFF", "PPM"])
@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_lossless_formats_keep_every_pixel(make, kind, shape):
    if kind == "GIF" and len(shape) == 3:
        return  # a palette of 256 colours
    data = make.encoded(shape, kind=kind)
    head = read_head(data, "x", LIMIT)
    assert (head.width, head.height, head.gray) == (7, 5, len(shape) == 2)
    np.testing.assert_array_equal(decode(data, "x", LIMIT, gray=head.gray), make.pixels(shape))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
def test_formats_are_known_by_their_first_bytes(make, kind):
    assert looks_like_image(make.encoded(kind=kind)[:16])
    assert not looks_like_image(b"PK\x03\x04 and so on")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF"])
def test_orientation_is_respected(kind):
    data = oriented(kind, 6)  # to be turned by 90° clockwise: left goes up
    head = read_head(data, "x", LIMIT)
    assert (head.width, head.height) == (4, 6)
    pixels = decode(data, "x", LIMIT, gray=True)
    assert pixels.shape == (6, 4)
    assert pixels[:2].mean() < 20
    assert pixels[4:].mean() > 235


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_as_pillow_has_it(orientation):
    from PIL import ImageOps

    data = oriented("PNG", orientation)
    expected = np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    np.testing.assert_array_equal(decode(data, "x", LIMIT, gray=True), expected)


def test_orientation_behind_the_pixels_of_a_png():
    data = oriented("PNG", 6)
    start = data.index(b"eXIf") - 4
    length = struct.unpack(">I", data[start : start + 4])[0] + 12
    chunk, rest = data[start : start + length], data[:start] + data[start + length :]
    end = rest.index(b"IEND") - 4
    moved = rest[:end] + chunk + rest[end:]
    assert read_head(moved, "x", LIMIT).width == 4
    assert decode(moved, "x", LIMIT, gray=True).shape == (6, 4)


def test_transparency_is_put_on_white():
    image = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    image.putpixel((1, 0), (0, 0, 0, 128))
    data = save(image)
    assert read_head(data, "x", LIMIT).alpha
    np.testing.assert_array_equal(decode(data, "x", LIMIT, gray=False)[0], [[255] * 3, [127] * 3])


def test_palette_images():
    gray = Image.fromarray(np.arange(16, dtype=np.uint8).reshape(4, 4) * 16).convert("P")
    assert read_head(save(gray), "x", LIMIT).gray
    red = Image.new("RGB", (4, 4), (204, 0, 0)).convert("P")
    assert not read_head(save(red), "x", LIMIT).gray
    np.testing.assert_array_equal(decode(save(red), "x", LIMIT, gray=False)[0, 0], [204, 0, 0])
    clear = Image.new("P", (2, 2), 0)
    clear.putpalette([0, 0, 0, 9, 9, 9])
    data = save(clear, transparency=0)
    np.testing.assert_array_equal(decode(data, "x", LIMIT, gray=True), 255)


def test_sixteen_bits_are_scaled_and_not_clipped():
    wide = np.array([[0, 257, 32896, 65535]], np.uint16)
    data = save(Image.fromarray(wide))
    assert read_head(data, "x", LIMIT).gray
    np.testing.assert_array_equal(decode(data, "x", LIMIT, gray=True), [[0, 1, 128, 255]])


def wide_png(kind, values, clear=b""):
    """A PNG of 16 bits a sample, of colour type ``kind``."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    rows = np.asarray(values, ">u2")
    head = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], 16, kind, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + row.tobytes() for row in rows))
    extra = chunk(b"tRNS", clear) if clear else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + extra + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("kind", "values", "clear", "expected"),
    [
        (0, [[0, 5, 25700]], struct.pack(">H", 5), [0, 255, 100]),
        (2, [[[0x0105] * 3, [0x2210] * 3, [0xFFFF] * 3]], struct.pack(">HHH", *[0x0105] * 3), [255, 0x22, 255]),
        (4, [[[0, 0], [0, 65535], [0, 32896]]], b"", [255, 0, 127]),
        (6, [[[0, 0, 0, 0], [0, 0, 0, 65535], [0, 0, 0, 32896]]], b"", [255, 0, 127]),
    ],
)
@pytest.mark.parametrize("gray", [True, False])
def test_transparency_of_sixteen_bits_is_put_on_white(kind, values, clear, expected, gray):
    data = wide_png(kind, values, clear)
    assert read_head(data, "x", LIMIT).alpha
    pixels = decode(data, "x", LIMIT, gray=gray)[0]
    np.testing.assert_array_equal(pixels if gray else pixels[:, 0], expected)


def scans(size, count):
    """A progressive JPEG with ``count`` further scans that say "nothing new" of every block, in some 40 bytes each."""
    data = save(Image.new("L", (size, size), 128), "JPEG", progressive=True)
    blocks = (size // 8) ** 2
    table = (
        b"\xff\xc4" + struct.pack(">HB", 2 + 17 + 1, 0x10) + bytes([1] + [0] * 15) + b"\xe0"
    )  # the code 0: 2**14 blocks and 14 bits more
    bits = ("0" + "1" * 14) * -(-blocks // 32767)
    bits += "1" * (-len(bits) % 8)
    body = int(bits, 2).to_bytes(len(bits) // 8, "big").replace(b"\xff", b"\xff\0")
    scan = b"\xff\xda" + struct.pack(">HBBBBBB", 8, 1, 1, 0x00, 1, 63, 0) + body
    return data[:-2] + table + scan * count + b"\xff\xd9"


def test_an_image_has_a_limit_of_time(monkeypatch):
    """The clock is looked at for every 2 KiB of a progressive JPEG; one that goes on at each look makes seconds of them."""
    looks = itertools.count()
    monkeypatch.setattr(time, "thread_time", lambda: float(next(looks)))
    monkeypatch.setattr(module, "_SECONDS", 100.0)
    assert decode(scans(64, 10), "x", LIMIT, gray=True).shape == (64, 64)
    with pytest.raises(DataError, match="'x' takes more than 100 s to decode") as caught:
        decode(scans(64, 20_000), "x", LIMIT, gray=True)
    assert caught.value.remedy


@pytest.mark.soak
def test_a_jpeg_of_many_scans_is_given_up_in_time():
    data = scans(4096, 40_000)  # 37 s on a processor where a scan of 262,144 blocks takes 0.9 ms
    began = time.thread_time()
    with pytest.raises(DataError, match="takes more than 5 s to decode"):
        decode(data, "x", 25_000_000, gray=True)
    assert time.thread_time() - began < 10  # 5 s, and at most fifty scans more


def test_other_modes():
    np.testing.assert_array_equal(decode(save(Image.new("1", (2, 2), 1)), "x", LIMIT, gray=True), 255)
    assert decode(save(Image.new("CMYK", (4, 4)), "JPEG"), "x", LIMIT, gray=False).shape == (4, 4, 3)
    floats = save(Image.fromarray(np.array([[0.0, 0.5, 1.0]], np.float32)), "TIFF")
    np.testing.assert_array_equal(decode(floats, "x", LIMIT, gray=True), [[0, 128, 255]])
    for bad in (np.nan, np.inf, 1.5, -0.1):
        with pytest.raises(DataError, match="float values outside 0 to 1"):
            decode(save(Image.fromarray(np.array([[bad]], np.float32)), "TIFF"), "x", LIMIT, gray=True)
    with pytest.raises(DataError, match="more than 16 bits"):
        decode(save(Image.fromarray(np.array([[70000]], np.int32)), "TIFF"), "x", LIMIT, gray=True)


def test_animations_give_their_first_frame(make):
    frames = [Image.fromarray(make.pixels((4, 4), seed)) for seed in (0, 1)]
    data = save(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert read_head(data, "x", LIMIT).frames
    np.testing.assert_array_equal(decode(data, "x", LIMIT, gray=True), make.pixels((4, 4), 0))


def test_scaling_crops_the_middle_square():
    pixels = np.zeros((10, 30), np.uint8)
    pixels[:, 10:20] = 200
    np.testing.assert_array_equal(decode(save(Image.fromarray(pixels)), "x", LIMIT, gray=True, side=10), 200)
    assert decode(save(Image.fromarray(pixels)), "x", LIMIT, gray=False, side=4).shape == (4, 4, 3)
    checker = np.indices((64, 64)).sum(axis=0) % 2 * 255
    small = np.asarray(square(Image.fromarray(checker.astype(np.uint8)), 8))
    assert np.abs(small.astype(int) - 127).max() < 30  # antialiased: gray, not a pattern


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"])
@pytest.mark.parametrize("keep", [0, 1, 10, 0.3, 0.9])
def test_truncated_files_are_named_damaged(make, kind, keep):
    data = make.encoded((40, 40, 3), kind=kind)
    cut = data[: int(keep * len(data)) if isinstance(keep, float) else keep]
    with pytest.raises(DataError, match=r"'cat/1\.png'"):
        read_head(cut, "cat/1.png", LIMIT)
        decode(cut, "cat/1.png", LIMIT, gray=False)


def test_random_bytes_never_raise_anything_else(make):
    """Flips bytes of real files: either it still is an image, or it is refused by name."""
    for kind in ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF"):
        whole = make.encoded((12, 12, 3), kind=kind)
        for seed in range(60):
            rng = np.random.default_rng(seed)
            data = bytearray(whole)
            for position in rng.integers(0, len(data), 3):
                data[position] = rng.integers(0, 256)
            try:
                head = read_head(bytes(data), "x", LIMIT)
                assert decode(bytes(data), "x", LIMIT, gray=False).shape == (head.height, head.width, 3)
            except DataError:
                pass


def bomb(width, height):
    """A PNG header that claims a size, over hardly any data."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(b"\0" * 100))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(101, 100), (8000, 7000), (12_000, 9000), (60_000, 60_000)])
def test_large_images_are_refused_before_they_are_decoded(size):
    with pytest.raises(DataError, match="larger than the 10,000 pixels allowed"):
        read_head(bomb(*size), "big.png", LIMIT)
    with pytest.raises(DataError, match="larger than the 10,000 pixels allowed"):
        decode(bomb(*size), "big.png", LIMIT, gray=True)


def test_formats_that_run_programs_are_not_opened():
    with pytest.raises(DataError, match="no image that can be read"):
        read_head(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n", "x.png", LIMIT)


def test_threads_keep_the_order_and_raise_the_first_error(make):
    jobs = [lambda i=i: np.full(1, i, np.uint8) for i in range(20)]
    assert [int(result[0]) for result in decode_all(jobs)] == list(range(20))

    def fail():
        raise DataError("no")

    with pytest.raises(DataError):
        decode_all([*jobs, fail])
