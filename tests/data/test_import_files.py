import dataclasses
import os
import stat
import struct
import zipfile
import zlib

import pytest

from ntkcore.data import check_server_path, import_images
from ntkcore.data.import_common import Limits
from ntkcore.data.import_files import SafeZip
from ntkcore.errors import DataError
from ntkcore.settings import Settings

pytestmark = pytest.mark.usefixtures("nothing_kept")


def refuse(path, local, message, **limits):
    chosen = dataclasses.replace(Limits.of(local), **limits)
    with pytest.raises(DataError, match=message) as caught:
        import_images(path, local, name="x", limits=chosen)
    assert caught.value.remedy
    assert all(character.isprintable() for character in str(caught.value))
    assert len(str(caught.value)) < 500


def few(make):
    """A set that lacks one image of a class, so that one that cannot be read is said by the error."""
    return {name: data for name, data in make.classes().items() if name != "cat/1.png"}


@pytest.mark.parametrize("name", ["../evil.png", "cat/../../evil.png", "/etc/evil.png", "C:\\evil.png", "\\evil.png", "..\\evil.png"])
def test_paths_outside_the_zip(make, local, tmp_path, name):
    refuse(make.zip(tmp_path / "up", make.classes() | {name: make.encoded()}), local, "leads outside of it")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR])
def test_links_and_devices(make, local, tmp_path, kind):
    make.zip(tmp_path / "up", make.classes())
    with zipfile.ZipFile(tmp_path / "up", "a") as archive:
        entry = zipfile.ZipInfo("cat/link.png")
        entry.create_system = 3
        entry.external_attr = (kind | 0o777) << 16
        archive.writestr(entry, "/etc/passwd")
    refuse(tmp_path / "up", local, r"'cat/link\.png' in the zip is a link or device")


def test_a_bomb_by_its_ratio(make, local, tmp_path):
    files = make.classes() | {"cat/big.bmp": bytes(40 << 20)}
    refuse(make.zip(tmp_path / "up", files, zipfile.ZIP_DEFLATED), local, r"'cat/big\.bmp' in the zip unpacks to more than 200 times")


def test_a_bomb_by_its_total(make, local, tmp_path):
    refuse(make.zip(tmp_path / "up", make.classes()), local, "The zip unpacks to more than", total_bytes=300)


def test_a_single_file_too_large(make, local, tmp_path):
    files = few(make) | {"cat/big.png": make.encoded((60, 60))}
    refuse(make.zip(tmp_path / "up", files), local, r"cat/big\.png: is larger than", file_bytes=2000)
    refuse(make.folder(tmp_path / "folder", files), local, r"cat/big\.png: is larger than", file_bytes=2000)


def test_too_many_files(make, local, tmp_path):
    refuse(make.zip(tmp_path / "up", make.classes(each=5)), local, "The zip holds more than 9 files", files=9)
    refuse(make.folder(tmp_path / "folder", make.classes(each=5)), local, "The folder holds more than 9 files", files=9)


def forge(path, name, field, value):
    """Change a 4-byte field of an entry in a zip's table of contents (and its local header)."""
    data = bytearray(path.read_bytes())
    for signature, offset, at_name in (
        (b"PK\1\2", {"crc": 16, "packed": 20, "size": 24}, 46),
        (b"PK\3\4", {"crc": 14, "packed": 18, "size": 22}, 30),
    ):
        start = data.find(signature)
        while start >= 0 and data[start + at_name : start + at_name + len(name)] != name.encode():
            start = data.find(signature, start + 1)
        struct.pack_into("<I", data, start + offset[field], value)
    path.write_bytes(data)


def test_sizes_that_lie(make, local, tmp_path):
    """A bomb whose header claims to be small is cut off at the claim, and its checksum then fails."""
    payload = make.encoded((30, 30)) + bytes(30 << 20)
    make.zip(tmp_path / "up", few(make) | {"cat/lie.png": payload}, zipfile.ZIP_DEFLATED)
    forge(tmp_path / "up", "cat/lie.png", "size", 2000)
    refuse(tmp_path / "up", local, r"cat/lie\.png: in the zip is damaged")


def test_a_wrong_checksum(make, local, tmp_path):
    make.zip(tmp_path / "up", make.classes())
    forge(tmp_path / "up", "cat/1.png", "crc", 12345)
    refuse(tmp_path / "up", local, r"cat/1\.png: in the zip is damaged")


def test_a_table_of_contents_that_claims_to_be_huge(make, local, tmp_path):
    path = make.zip(tmp_path / "up", make.classes())
    with path.open("ab") as file:  # the claimed table must fit into the file for the claim to be believed
        file.truncate(path.stat().st_size)
    data = path.read_bytes()
    end = data.rindex(b"PK\5\6")
    padded = bytearray(data[:end]) + bytearray(20 << 20) + bytearray(data[end:])
    struct.pack_into("<I", padded, len(padded) - 22 + 12, 20 << 20)
    path.write_bytes(padded)
    refuse(path, local, "table of contents is too large")


def test_encrypted(make, local, tmp_path):
    path = make.zip(tmp_path / "up", make.classes())
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        data[data.index(signature) + offset] |= 1
    path.write_bytes(data)
    refuse(path, local, "The zip is encrypted")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_compression(make, local, tmp_path, method):
    refuse(make.zip(tmp_path / "up", make.classes(), method), local, "packed with an unusual method")


@pytest.mark.parametrize("keep", [0.2, 0.5, 0.9, 0.99])
def test_truncated_zips(make, local, tmp_path, keep):
    path = make.zip(tmp_path / "up", make.classes())
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    refuse(path, local, "The zip is damaged")


def test_names_that_are_not_utf8(make, local, tmp_path):
    for flag, name in ((0, b"cat/\xe9\xe8.png"), (0x800, b"cat/\xe9\xe8.png")):
        path = make.zip(tmp_path / "up", make.classes() | {"cat/XX.png": make.encoded()})
        data = path.read_bytes().replace(b"cat/XX.png", name)
        position = data.rindex(b"PK\1\2")
        data = data[: position + 8] + struct.pack("<H", flag) + data[position + 10 :]
        path.write_bytes(data)
        refuse(path, local, "not UTF-8")
    folder = make.folder(tmp_path / "folder", make.classes())
    with open(os.fsencode(folder) + b"/cat/\xe9.png", "wb") as file:  # noqa: PTH123 (a name that is no text)
        file.write(make.encoded())
    refuse(folder, local, "not UTF-8")


def test_utf8_names_without_the_flag(make, local, tmp_path):
    path = make.zip(tmp_path / "up", {name.replace("cat", "kätze"): data for name, data in make.classes().items()})
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\1\2", 8), (b"PK\3\4", 6)):
        position = data.find(signature)
        while position >= 0:
            struct.pack_into("<H", data, position + offset, 0)
            position = data.find(signature, position + 1)
    path.write_bytes(data)
    archive = SafeZip(path, Limits.of(local))
    assert {parts[0] for parts in archive.parts} == {"kätze", "dog"}
    archive.close()


def test_long_names_and_names_twice(make, local, tmp_path):
    refuse(make.zip(tmp_path / "a", make.classes() | {f"cat/{'n' * 600}.png": make.encoded()}), local, "has 608 characters")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(tmp_path / "b", "w") as archive:
        for name, data in [*make.classes().items(), ("cat/0.png", make.encoded(seed=9))]:
            archive.writestr(name, data)
    refuse(tmp_path / "b", local, r"'cat/0\.png' is in the zip twice")


def test_control_characters_are_escaped_in_messages(make, local, tmp_path):
    refuse(make.zip(tmp_path / "up", few(make) | {"cat/\x1b[31m\u202e.png": b"x"}), local, r"\\x1b\[31m\\u202e\.png")


def test_a_zip64_is_read(make, tmp_path, local):
    with zipfile.ZipFile(tmp_path / "up", "w") as archive:
        for name, data in make.classes().items():
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(data)
    archive = SafeZip(tmp_path / "up", Limits.of(local))
    assert zlib.crc32(archive.read(archive.entries[0], 10**6)) == archive.entries[0].CRC
    archive.close()


def test_links_in_a_folder_are_not_followed(make, tmp_path, local):
    secret = make.folder(tmp_path / "secret", {"a.png": make.encoded()})
    folder = make.folder(tmp_path / "folder", {"cat/x.txt": b"x"})
    (folder / "cat" / "link.png").symlink_to(secret / "a.png")
    (folder / "dog").symlink_to(secret, target_is_directory=True)
    os.mkfifo(folder / "cat" / "pipe.png")
    refuse(folder, local, "There are no images in the folder .4 other files were skipped")


def roots(tmp_path, *folders):
    return Settings(cache_dir=tmp_path / "cache", import_roots=tuple(folders))


def test_server_paths(make, tmp_path, local):
    inside = make.folder(tmp_path / "allowed" / "pets", make.classes())
    outside = make.folder(tmp_path / "allowed-not", make.classes())
    allowed = roots(tmp_path, tmp_path / "allowed")
    assert check_server_path(inside, allowed) == inside.resolve()
    assert check_server_path(tmp_path / "allowed", allowed)
    (tmp_path / "allowed" / "link").symlink_to(outside)
    (tmp_path / "allowed" / "loop").symlink_to(tmp_path / "allowed" / "loop")
    for path in (outside, inside / ".." / ".." / "allowed-not", tmp_path / "allowed" / "link", tmp_path, tmp_path / "no" / "such"):
        with pytest.raises(DataError, match="is not inside an allowed folder"):
            check_server_path(path, allowed)
    with pytest.raises(DataError, match="There is no"):
        check_server_path(inside / "owl", allowed)
    with pytest.raises(DataError):
        check_server_path(tmp_path / "allowed" / "loop", allowed)
    with pytest.raises(DataError, match=r"not a path|not inside"):
        check_server_path(tmp_path / "allowed" / "a\0b", allowed)
    with pytest.raises(DataError, match="switched off"):
        check_server_path(inside, local)


def test_an_allowed_folder_that_is_a_link(make, tmp_path):
    real = make.folder(tmp_path / "real", make.classes())
    (tmp_path / "alias").symlink_to(real)
    assert check_server_path(tmp_path / "alias" / "cat", roots(tmp_path, tmp_path / "alias")) == (real / "cat").resolve()


def named_otherwise(path, files, encoding, *, checksum_of=None):
    """A zip of a system that has another encoding, with the names in UTF-8 beside, as Info-ZIP, WinRAR and 7-zip write them."""
    with zipfile.ZipFile(path, "w") as archive:
        for number, (name, data) in enumerate(files.items()):
            entry = zipfile.ZipInfo(f"{number:0{len(name.encode(encoding))}}")
            raw = name.encode(encoding)
            body = b"\1" + struct.pack("<I", zlib.crc32(checksum_of or raw)) + name.encode()
            entry.extra = struct.pack("<HH", 0x7075, len(body)) + body
            archive.writestr(entry, data)
    data = path.read_bytes()
    for number, name in enumerate(files):
        raw = name.encode(encoding)
        data = data.replace(b"%0*d" % (len(raw), number), raw)
    path.write_bytes(data)
    return path


def test_names_in_other_encodings_are_those_that_stand_beside(make, tmp_path):
    files = {f"{name}/{i}.png": make.encoded(seed=i) for name in ("猫", "犬") for i in range(2)}
    path = named_otherwise(tmp_path / "up", files, "cp932")
    archive = SafeZip(path, Limits.of(Settings()))
    assert sorted({parts[0] for parts in archive.parts}) == ["犬", "猫"]
    archive.close()


def test_names_in_other_encodings_alone_are_refused(make, local, tmp_path):
    files = {f"{name}/{i}.png": make.encoded(seed=i) for name in ("猫", "犬") for i in range(2)}
    path = named_otherwise(tmp_path / "up", files, "cp932", checksum_of=b"of another name")
    refuse(path, local, "in the zip is not UTF-8")
