import gzip
import hashlib
import json
import os

import pytest

from ntkcore.data.hashing import file_sha256, write_atomically
from ntkcore.errors import DataError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "file.bin"
    path.write_bytes(b"some bytes" * 1000)
    return path


def test_it_is_the_sha256(file, local):
    assert file_sha256(file, local) == hashlib.sha256(file.read_bytes()).hexdigest()
    assert file_sha256(file, local, offset=3) == hashlib.sha256(file.read_bytes()[3:]).hexdigest()


def test_a_packed_file_has_the_hash_of_its_content(file, local):
    packed = file.with_name("file.bin.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert file_sha256(packed, local) == file_sha256(file, local)


def test_it_is_remembered_until_the_file_changes(file, local):
    first = file_sha256(file, local)
    stat = file.stat()
    file.write_bytes(b"SOME bytes" * 1000)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert file_sha256(file, local) == first  # same size and time: not read again
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert file_sha256(file, local) == hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("memory", [b"", b"{", b"[1]", b'{"a": 3}', b"\xff\xfe"])
def test_a_damaged_memory_is_replaced(file, local, memory):
    local.cache_dir.mkdir()
    (local.cache_dir / "hashes.json").write_bytes(memory)
    expected = hashlib.sha256(file.read_bytes()).hexdigest()
    assert file_sha256(file, local) == expected
    assert json.loads((local.cache_dir / "hashes.json").read_text())[f"{file}@0"][2] == expected


def test_a_memory_that_cannot_be_written_is_no_error(file, local):
    local.cache_dir.write_text("a file where the folder should be")
    assert file_sha256(file, local) == hashlib.sha256(file.read_bytes()).hexdigest()


def test_a_file_that_cannot_be_read(tmp_path, local):
    with pytest.raises(DataError, match="could not be read"):
        file_sha256(tmp_path / "absent", local)
    broken = tmp_path / "broken.gz"
    broken.write_bytes(gzip.compress(b"x" * 5000)[:-9])
    with pytest.raises(DataError, match=r"broken\.gz could not be read"):
        file_sha256(broken, local)


def test_atomic_writing_leaves_no_temporary_file(tmp_path):
    write_atomically(tmp_path / "a" / "b", b"1")
    write_atomically(tmp_path / "a" / "b", b"2")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]
    assert (tmp_path / "a" / "b").read_bytes() == b"2"
