"""The store against killed writers, two writers at once, and disks that are full or refuse."""

import os
import random
import subprocess
import sys
import tempfile
import textwrap
import time
from pathlib import Path

import numpy as np
import pytest

from ntkcore.errors import StoreError
from ntkcore.store import Store

KEY = "a" * 64
ROOT = Path(__file__).resolve().parents[2]

WRITER = """
import os, resource, sys, time
from pathlib import Path
import numpy as np
from ntkcore.errors import StoreError
from ntkcore.store import Store

def tile_of(tile):
    return np.random.default_rng(list(tile)).standard_normal((16, 16)).astype("float32")

def compute(root, pause=0.0):
    written = 0
    with Store(Path(root), 2**30).draft("thing", "a" * 64, {"n": 1}) as draft:
        if draft is None:
            return -1
        draft.create("x", (128, 80), "float32", (16, 16))
        for tile in draft.missing("x"):
            draft.write("x", tile, tile_of(tile))
            draft.put_blob("checkpoint", bytes(tile) * 999)
            print(tile, flush=True)
            written += 1
            time.sleep(pause)
        draft.drop("checkpoint")
        draft.publish({})
    return written
"""


def python(script, *arguments, **options):
    code = WRITER + textwrap.dedent(script)
    return subprocess.Popen(
        [sys.executable, "-c", code, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )


def digest(root):
    return Store(root, 1).open("thing", KEY).read("x").tobytes()


@pytest.mark.kill
def test_a_writer_killed_at_random_points_resumes_to_the_same_bytes(tmp_path):
    smooth, rough = tmp_path / "smooth", tmp_path / "rough"
    plain = python("print(compute(sys.argv[1]))", smooth)
    assert plain.communicate(timeout=60)[0].splitlines()[-1] == "40"
    rng, kills, seen = random.Random(5), 0, []
    while Store(rough, 1).state("thing", KEY) != "ready":
        process = python("compute(sys.argv[1], 0.002)", rough)
        assert process.stdout is not None
        if kills < 4:
            seen += [process.stdout.readline() for _ in range(rng.randint(3, 9))]
            time.sleep(rng.uniform(0, 0.01))
            process.kill()
            kills += 1
        seen += process.communicate(timeout=60)[0].splitlines(keepends=True)
    # A tile that was said to be done is never written again; one killed between writing and saying so may be unsaid.
    assert len(seen) == len(set(seen)) and 36 <= len(seen) <= 40
    assert digest(rough) == digest(smooth)
    assert not list(rough.rglob("*.tmp")) and not list((rough / "drafts").rglob("*.json"))


@pytest.mark.kill
def test_two_processes_on_one_key_compute_it_once(tmp_path):
    processes = [python("print(compute(sys.argv[1], 0.01))", tmp_path) for _ in range(2)]
    last = sorted(process.communicate(timeout=60)[0].splitlines()[-1] for process in processes)
    assert last == ["-1", "40"]


@pytest.mark.kill
def test_the_lock_of_a_killed_writer_is_free(tmp_path):
    process = python("compute(sys.argv[1], 5)", tmp_path)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.communicate(timeout=60)
    with Store(tmp_path, 1).draft("thing", KEY, {"n": 1}) as draft:
        assert draft.resumed


FULL = """
try:
    {before}
    compute(sys.argv[1])
except StoreError as error:
    print("said:", error.message, "|", error.remedy)
"""


@pytest.mark.kill
def test_a_file_size_limit_stops_with_a_clear_message_and_resumes(tmp_path):
    before = "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"  # a tile has 1028 bytes
    said = python(FULL.format(before=before), tmp_path).communicate(timeout=60)[0]
    assert "said: A file would pass the allowed size: 1.0 KiB are needed," in said and "NTK_CACHE_DIR" in said
    assert Store(tmp_path, 1).state("thing", KEY) == "partial" and not list(tmp_path.rglob("*.tmp"))
    assert python("print(compute(sys.argv[1]))", tmp_path).communicate(timeout=60)[0].splitlines()[-1] == "40"


@pytest.mark.kill
@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")
def test_a_full_disk_keeps_finished_tiles_and_goes_on_after_space_is_freed(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", disk], capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("this machine does not let us mount a small disk")
    try:
        (disk / "ballast").write_bytes(bytes(130_000))
        said = python(FULL.format(before="pass"), disk).communicate(timeout=60)[0]
        assert "said: The disk is full:" in said and "are free." in said
        store = Store(disk, 1)
        assert store.state("thing", KEY) == "partial" and not list(disk.rglob("*.tmp"))
        done = sum(line.startswith("(") for line in said.splitlines())
        assert 0 < done < 40
        (disk / "ballast").unlink()
        assert int(python("print(compute(sys.argv[1]))", disk).communicate(timeout=60)[0].splitlines()[-1]) <= 40 - done
        assert store.verify("thing", KEY) == []
    finally:
        subprocess.run(["umount", disk], check=True)


@pytest.mark.kill
def test_no_permission_is_said():
    with tempfile.TemporaryDirectory() as folder:  # tmp_path lies in a folder closed to other users
        Path(folder).chmod(0o555)
        before = "os.geteuid() == 0 and os.setuid(65534)"
        said = python(FULL.format(before=before), folder).communicate(timeout=60)[0]
        Path(folder).chmod(0o755)
    assert "said: Access to" in said and "the right to" in said


def test_a_file_in_the_way_is_said(tmp_path):
    (tmp_path / "drafts").write_text("not a folder")
    with pytest.raises(StoreError, match="disk reported"), Store(tmp_path, 1).draft("thing", KEY, {}):
        pass


def test_a_process_apart_writes_what_numpy_computes(tmp_path):
    """The writer's tiles are what NumPy makes of them without a store."""
    process = python("compute(sys.argv[1])", tmp_path)
    process.communicate(timeout=60)
    expected = np.zeros((128, 80), np.float32)
    for row in range(8):
        for column in range(5):
            block = np.random.default_rng([row, column]).standard_normal((16, 16)).astype("float32")
            expected[row * 16 : row * 16 + 16, column * 16 : column * 16 + 16] = block
    assert digest(tmp_path) == expected.tobytes()
