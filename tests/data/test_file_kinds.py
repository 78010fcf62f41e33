"""Files that cannot be imported are called by their names; those that can are left alone."""

import gzip
import io
import tarfile
import zipfile

import numpy as np
import pytest
from reviews import write_reviews

from ntkcore.data import import_images, import_set, import_texts
from ntkcore.data.file_kinds import START, kind_of
from ntkcore.errors import DataError

pytestmark = pytest.mark.usefixtures("nothing_kept")


def tar(make):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in make.classes().items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return out.getvalue()


def npy():
    out = io.BytesIO()
    np.save(out, np.zeros((4, 8, 8), np.uint8))
    return out.getvalue()


def zipped(*names):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in names:
            archive.writestr(name, b"x")
    return out.getvalue()


KINDS = {
    "a tar archive": tar,
    "packed with gzip": lambda make: gzip.compress(tar(make)),
    "a 7z archive": lambda make: b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40),
    "a RAR archive": lambda make: b"Rar!\x1a\x07\x01\0" + bytes(40),
    "a single NumPy array": lambda make: npy(),
    "an HDF5 file": lambda make: b"\x89HDF\r\n\x1a\n" + bytes(90),
    "a single image": lambda make: make.encoded(),
    "an idx file": lambda make: make.idx(np.zeros((2, 3, 3), np.uint8)),
    "a Python pickle": lambda make: b"\x80\x04\x95" + bytes(20),
    "an AVIF image": lambda make: b"\0\0\0\x1cftypavif\0\0\0\0avifmif1",
    "JSON": lambda make: b'[{"text": "a", "label": 1}]',
    "a PDF": lambda make: b"%PDF-1.7\n",
    "an Excel workbook": lambda make: zipped("[Content_Types].xml", "xl/workbook.xml", "xl/media/image1.png"),
    "an OpenDocument file": lambda make: zipped("mimetype", "content.xml", "Thumbnails/thumbnail.png"),
    "a PyTorch file": lambda make: zipped("model/data.pkl", "model/data/0"),
}


@pytest.mark.parametrize("what", KINDS)
def test_other_files_are_called_by_their_names(make, local, tmp_path, what):
    (tmp_path / "up").write_bytes(KINDS[what](make))
    with pytest.raises(DataError, match=f"The file is {what}.* can be imported") as caught:
        import_set(tmp_path / "up", local, name="x")
    assert caught.value.remedy


@pytest.mark.parametrize("what", ["a tar archive", "a single NumPy array", "JSON"])
@pytest.mark.parametrize("bring", [import_images, import_texts])
def test_both_imports_say_it(make, local, tmp_path, what, bring):
    (tmp_path / "up").write_bytes(KINDS[what](make))
    with pytest.raises(DataError, match=f"The file is {what}"):
        bring(tmp_path / "up", local, name="x")


@pytest.mark.parametrize(
    "header", ["BMI,label", "MZ,label", "ORC,label", "ID3;label", "text,label", "BZh9,label", "[a],label", "RIFF,label"]
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_tables_with_any_first_word_are_tables(header, encoding):
    assert kind_of(f"{header}\na,1\n".encode(encoding)) is None


def test_what_can_be_imported_is_left_alone(make, tmp_path):
    paths = [write_reviews(tmp_path / "t.csv"), make.zip(tmp_path / "z", make.classes())]
    assert [kind_of(path.read_bytes()[:START]) for path in paths] == [None, None]


def test_images_of_a_kind_that_is_not_read_are_called_by_their_name(make, local, tmp_path):
    image = KINDS["an AVIF image"](make)
    with pytest.raises(DataError, match=r"cat/a\.avif: an AVIF image, which cannot be read here"):
        import_images(make.zip(tmp_path / "up", {"cat/a.avif": image}), local, name="x")
    with pytest.raises(DataError, match=r"'cat/a\.jpg' is an AVIF image, which cannot be read here") as caught:
        import_images(
            make.zip(tmp_path / "up", {"cat/a.jpg": image, "cat/b.jpg": image, "dog/a.jpg": image, "dog/b.jpg": image}), local, name="x"
        )
    assert "Save it as PNG" in caught.value.remedy
