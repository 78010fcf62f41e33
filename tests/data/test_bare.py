"""What is shown and exported of a photograph: upright, with the same pixels, and nothing beside them."""

import io

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from ntkcore.data.bare import bare
from ntkcore.data.decode import decode

PIXELS = 10**6
SECRET = b"52.5N 13.4E"


def picture(make, mode="RGB", shape=(40, 60)):
    """A smooth picture, which JPEG keeps nearly as it is."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    base = np.stack([rows * 4, columns * 3, rows + columns], axis=-1).astype(np.uint8)
    return Image.fromarray(base).convert(mode)


def saved(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def exif(orientation=1):
    tags = Image.Exif()
    tags[0x0112] = orientation
    tags[0x010E] = SECRET.decode()
    gps = tags.get_ifd(0x8825)
    gps[2] = (52.0, 30.0, 0.0)
    return tags.tobytes()


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 2}, {"optimize": True}])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_an_upright_jpeg_keeps_its_stored_pixels(make, mode, options):
    data = saved(picture(make, mode), "JPEG", exif=exif(), comment=SECRET, icc_profile=b"profile" + SECRET, dpi=(72, 72), **options)
    data += b"a film behind it" + SECRET
    out, kind = bare(data, "x.jpg", PIXELS)
    assert kind == "image/jpeg" and SECRET not in out and len(out) < len(data)
    image = Image.open(io.BytesIO(out))
    assert not image.getexif() and not set(image.info) & {"exif", "comment", "icc_profile", "photoshop"}
    np.testing.assert_array_equal(np.asarray(image), np.asarray(Image.open(io.BytesIO(data))))


@pytest.mark.parametrize("orientation", range(2, 9))
def test_a_turned_jpeg_becomes_upright(make, orientation):
    data = saved(picture(make), "JPEG", exif=exif(orientation), quality=95)
    out, kind = bare(data, "x.jpg", PIXELS)
    image = Image.open(io.BytesIO(out))
    upright = decode(data, "x.jpg", PIXELS, gray=False)
    assert kind == "image/jpeg" and not image.getexif() and SECRET not in out
    assert image.size == upright.shape[1::-1] == ((40, 60) if orientation >= 5 else (60, 40))
    assert np.abs(np.asarray(image).astype(int) - upright).mean() < 2


def test_a_png_loses_its_chunks_alone(make):
    told = PngImagePlugin.PngInfo()
    told.add_text("Location", SECRET.decode())
    image = picture(make)
    data = saved(image, "PNG", pnginfo=told, exif=exif(), dpi=(72, 72))
    out, kind = bare(data, "x.png", PIXELS)
    assert kind == "image/png" and SECRET not in out and b"eXIf" not in out and b"tEXt" not in out
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(out))), np.asarray(image))


@pytest.mark.parametrize(
    ("kind", "options", "becomes"),
    [
        ("PNG", {"exif": True}, "image/png"),
        ("GIF", {"comment": SECRET}, "image/png"),
        ("BMP", {}, "image/png"),
        ("TIFF", {"description": SECRET.decode()}, "image/png"),
        ("WEBP", {"exif": True, "xmp": SECRET}, "image/jpeg"),
    ],
)
def test_other_kinds_are_written_anew(make, kind, options, becomes):
    options = {name: exif(6) if value is True else value for name, value in options.items()}
    data = saved(picture(make).convert("P" if kind == "GIF" else "RGB"), kind, **options)
    out, media = bare(data, "x", PIXELS)
    assert media == becomes and SECRET not in out
    image = Image.open(io.BytesIO(out))
    upright = decode(data, "x", PIXELS, gray=False)
    assert image.size == upright.shape[1::-1] and not image.getexif()
    assert np.abs(np.asarray(image.convert("RGB")).astype(int) - upright).mean() < (2 if becomes == "image/jpeg" else 1e-9)


def test_transparent_and_cmyk_are_shown_as_the_network_sees_them(make):
    clear = picture(make).convert("RGBA")
    clear.putalpha(0)
    out, kind = bare(saved(clear, "PNG"), "x.png", PIXELS)
    assert kind == "image/png" and (np.asarray(Image.open(io.BytesIO(out))) == 255).all()
    out, kind = bare(saved(picture(make).convert("CMYK"), "JPEG"), "x.jpg", PIXELS)
    assert kind == "image/jpeg" and Image.open(io.BytesIO(out)).mode == "RGB"


def test_a_jpeg_of_odd_segments_is_written_anew(make):
    """Bytes between segments, which readers pass over."""
    data = saved(picture(make), "JPEG", comment=SECRET)
    at = data.index(b"\xff\xdb")
    odd = data[:at] + b"\0\0" + data[at:]
    out, _ = bare(odd, "x.jpg", PIXELS)
    assert SECRET not in out and Image.open(io.BytesIO(out)).size == (60, 40)
