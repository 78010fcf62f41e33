"""HEIC, as telephones write it: tiles, a turn beside the pixels, colours of a wider space; and what is no such photograph."""

import io
import struct

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bombs import made_of
from PIL import Image, ImageCms, ImageOps

from ntkcore.data import import_images
from ntkcore.data.decode import decode, looks_like_image, read_head
from ntkcore.data.heif import Unreadable, is_heif, pixels_to_decode
from ntkcore.data.own_read import open_own
from ntkcore.errors import DataError

LIMIT = 50_000


def heic(image, **options):
    out = io.BytesIO()
    image.save(out, "HEIF", quality=95, chroma=444, **options)
    return out.getvalue()


def smooth(size=(150, 90), mode="RGB"):
    """A ramp across and one down, which every coder keeps; the two ends tell every turn from every other."""
    across, down = np.meshgrid(np.linspace(20, 230, size[0]), np.linspace(230, 20, size[1]))
    pixels = np.stack([across, down, np.full_like(across, 60)], -1).round().astype(np.uint8)
    return Image.fromarray(pixels).convert(mode)


def exif(orientation):
    found = Image.Exif()
    found[0x0112] = orientation
    return found.tobytes()


def renamed(data, old, new):
    assert data.count(old) == 1 and len(old) == len(new)
    return data.replace(old, new)


@pytest.mark.parametrize("tiles", [{}, {"tile_size": 64}])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photograph_is_upright_and_in_its_colours(orientation, tiles):
    """Eight bits of luma and chroma at a quality of 95 are within a few values of a smooth image's."""
    marked = smooth()
    marked.getexif()[0x0112] = orientation
    expected = np.asarray(ImageOps.exif_transpose(marked)).astype(int)
    data = heic(smooth(), exif=exif(orientation), **tiles)
    head = read_head(data, "x", LIMIT)
    assert (head.height, head.width, head.gray, head.alpha, head.frames) == (*expected.shape[:2], False, False, False)
    assert np.abs(decode(data, "x", LIMIT, gray=False) - expected).max() <= 8
    assert np.abs(decode(data, "x", LIMIT, gray=False) - expected).mean() < 2


def test_colours_of_a_wider_space_are_brought_to_srgb():
    """A profile whose red and green are exchanged: what the file calls red is shown green."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = {profile[at : at + 4]: at for at in range(132, 132 + 12 * struct.unpack(">I", profile[128:132])[0], 12)}
    exchanged = bytearray(profile)
    exchanged[tags[b"rXYZ"] : tags[b"rXYZ"] + 4], exchanged[tags[b"gXYZ"] : tags[b"gXYZ"] + 4] = b"gXYZ", b"rXYZ"
    red = Image.new("RGB", (64, 64), (250, 10, 10))
    assert np.abs(decode(heic(red, icc_profile=profile), "x", LIMIT, gray=False)[32, 32].astype(int) - [250, 10, 10]).max() <= 3
    assert np.abs(decode(heic(red, icc_profile=bytes(exchanged)), "x", LIMIT, gray=False)[32, 32].astype(int) - [10, 250, 10]).max() <= 3
    assert np.abs(decode(heic(red, icc_profile=profile[:200]), "x", LIMIT, gray=False)[32, 32].astype(int) - [250, 10, 10]).max() <= 3


def test_gray_transparent_and_several():
    assert read_head(heic(smooth(mode="L")), "x", LIMIT).gray
    assert np.abs(decode(heic(smooth(mode="L")), "x", LIMIT, gray=True) - np.asarray(smooth(mode="L")).astype(int)).max() <= 8
    clear = smooth(mode="RGBA")
    clear.putalpha(0)
    assert read_head(heic(clear), "x", LIMIT).alpha
    np.testing.assert_array_equal(decode(heic(clear), "x", LIMIT, gray=False), 255)
    burst = heic(smooth(), save_all=True, append_images=[Image.new("RGB", (150, 90))])
    assert read_head(burst, "x", LIMIT).frames
    assert np.abs(decode(burst, "x", LIMIT, gray=False) - np.asarray(smooth()).astype(int)).max() <= 8


def test_the_first_bytes_tell_it():
    assert is_heif(heic(smooth())[:12]) and looks_like_image(heic(smooth())[:16])
    assert is_heif(b"\0\0\0\x18ftypmif1") and not is_heif(b"\0\0\0\x18ftypavif") and not is_heif(b"\0\0\0\x18ftypisom")


def photographs(names=("cat", "dog")):
    return {f"{name}/IMG_{i}.HEIC": heic(smooth((40 + i, 40)), exif=exif(6)) for name in names for i in range(2)}


@pytest.mark.parametrize("kind", ["zip", "folder", "parquet"])
def test_photographs_are_imported(make, local, tmp_path, kind):
    files = photographs()
    if kind == "parquet":
        path = tmp_path / "set.parquet"
        pq.write_table(pa.table({"photo": list(files.values()), "label": [name[:3] for name in files]}), path)
    else:
        path = getattr(make, kind)(tmp_path / "set", files)
    report = import_images(path, local, name="x", side=40)
    assert (report.n, report.class_names, report.shape, report.skipped) == (4, ("cat", "dog"), (3, 40, 40), ())
    first = open_own(report.content_id, local).images(np.array([0]))[0].astype(int)
    assert np.abs(first - np.asarray(smooth((40, 40)).transpose(Image.Transpose.ROTATE_270)).astype(int)).max() <= 8


def test_one_without_an_extension_is_known_and_beside_others(make, local, tmp_path):
    files = make.classes((40, 40, 3)) | {"cat/photograph": heic(smooth((40, 40)))}
    assert import_images(make.zip(tmp_path / "set", files), local, name="x").n == 5


@pytest.mark.parametrize("damage", ["cut", "noise", "other", "empty"])
def test_a_broken_one_is_left_out_by_its_name(make, local, tmp_path, damage):
    whole = heic(smooth())
    broken = {
        "cut": whole[: len(whole) // 2],
        "noise": whole[:40] + np.random.default_rng(0).bytes(len(whole) - 40),
        "other": renamed(whole, b"hvc1\0", b"av01\0"),
        "empty": b"",
    }[damage]
    report = import_images(make.zip(tmp_path / "set", photographs() | {"cat/broken.heic": broken}), local, name="x")
    assert report.n == len(photographs()) and [line.split(":")[0] for line in report.skipped] == ["cat/broken.heic"]


def test_flipped_bytes_never_raise_anything_else():
    whole = heic(smooth((40, 24)), tile_size=16, exif=exif(6))
    for seed in range(150):
        rng = np.random.default_rng(seed)
        data = bytearray(whole)
        for position in rng.integers(0, len(data), 3):
            data[position] = rng.integers(0, 256)
        try:
            head = read_head(bytes(data), "x", LIMIT)
            assert decode(bytes(data), "x", LIMIT, gray=False).shape == (head.height, head.width, 3)
        except DataError:
            pass


def test_what_is_decoded_is_counted_before_it_is():
    assert pixels_to_decode(heic(smooth((100, 60)))) == (6400, 6400)  # coded in blocks of 64
    tiled = heic(smooth((100, 60)), tile_size=64)
    assert pixels_to_decode(tiled) == (6000, 6000 + 2 * 64 * 64)
    with pytest.raises(DataError, match="'x' is larger than the 1,000 pixels allowed"):
        read_head(tiled, "x", 1000)


def test_a_picture_far_larger_than_what_is_cut_out_of_it_is_refused():
    data = heic(smooth((100, 60)))
    size = data.index(b"ispe") + 8
    wide = data[:size] + struct.pack(">II", 9000, 9000) + data[size + 8 :]
    with pytest.raises(DataError, match="'x' is larger than the 50,000 pixels allowed"):
        decode(wide, "x", LIMIT, gray=False)


def test_one_tile_named_many_times_counts_as_often():
    assert pixels_to_decode(made_of(20, 1)) == (10_000, 10_000 * 21)
    with pytest.raises(DataError, match="larger than the 50,000 pixels allowed"):
        decode(made_of(20, 1), "x", LIMIT, gray=False)
    assert pixels_to_decode(made_of(60_000, 2))[1] == 10_000 * (1 + 60_000 + 60_000**2)
    with pytest.raises(Unreadable):
        pixels_to_decode(made_of(2, 9))


def test_packed_notes_are_refused():
    """An item of text may be deflated, and unpacks to anything when the file is opened."""
    data = heic(smooth(), xmp=b"<x:xmpmeta/>")
    with pytest.raises(DataError, match="'x' is damaged, or no HEIC that can be read"):
        decode(renamed(data, b"application/rdf+xml\0\0", b"application/\0deflate\0"), "x", LIMIT, gray=False)
    assert decode(data, "x", LIMIT, gray=False).shape == (90, 150, 3)
