"""The queue's file damaged, cut, removed or replaced, at the start or under a running client: only the list of jobs is lost."""

import os
import random
import shutil
import sqlite3

import pytest
from caches import begun

from ntkcore.errors import AtlasError
from ntkcore.jobs import Jobs, queue_file
from ntkcore.settings import Settings
from ntkcore.store import sqlite_file

NOISE = random.Random(0).randbytes(100_000)


@pytest.fixture
def chosen(tmp_path):
    return Settings(cache_dir=begun(tmp_path / "cache"), device="cpu")


@pytest.fixture
def jobs(chosen):
    made = Jobs(chosen)
    for at in range(30):
        made.submit("steps", f"k{at}", {"n": at, "text": "é" * 40}, f"Steps {at}", seconds=3.0)
    yield made
    made.close()


def inverted(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


def swapped(data: bytes) -> bytes:
    """Two of the pages, those of 4096 bytes that SQLite writes, in the other's place."""
    return data[:4096] + data[8192:12288] + data[4096:8192] + data[12288:]


DAMAGES = {
    "noise": lambda data: NOISE[: len(data)],
    "inverted": inverted,
    "half": lambda data: data[: len(data) // 2],
    "a few bytes": lambda data: data[:90],
    "nothing": lambda data: b"",
    "text": lambda data: b"jobs jobs jobs " * 1000,
    "zeros": lambda data: bytes(len(data)),
    "header": lambda data: NOISE[:100] + data[100:],
    "behind the header": lambda data: data[:4096] + NOISE[: len(data) - 4096],
    "two pages swapped": swapped,
}


def damage(path, name, *, folded=True):
    """Damage the file; ``folded``: after what is in its write-ahead log was folded back and the log has gone."""
    if folded:
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(DAMAGES[name](path.read_bytes()))


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_file_is_moved_aside_at_the_start(jobs, chosen, name, caplog):
    path = queue_file.of(chosen)
    jobs.close()
    damage(path, name)
    damaged = path.read_bytes()
    again = Jobs(chosen)
    assert again.list() == () and again.workers() == ()
    (aside,) = again.set_aside()
    assert aside.read_bytes() == damaged and aside.name in caplog.text
    assert again.submit("steps", "k1", {}, "Anew").status == "queued" and [job.title for job in again.list()] == ["Anew"]
    again.remove_aside()
    assert again.set_aside() == () and not list(path.parent.glob("*damaged*"))
    again.close()
    second = Jobs(chosen)  # and the new one is as good as any
    assert [job.title for job in second.list()] == ["Anew"] and second.set_aside() == ()
    second.close()


@pytest.mark.parametrize("folded", [True, False])
@pytest.mark.parametrize("name", DAMAGES)
def test_damage_under_a_running_client_is_survived(jobs, chosen, name, folded):
    other = Jobs(chosen)  # as another process has it
    assert len(other.list()) == 30
    damage(queue_file.of(chosen), name, folded=folded)
    for client in (jobs, other):
        assert client.submit("steps", "new", {}, "New").status == "queued"
        assert client.state("new").title == "New" and client.workers() == ()
        assert [job.id for job in client.list()].count("new") == 1
    jobs.cancel("new")
    assert other.state("new").status == "cancelled"
    assert len(jobs.set_aside()) <= 1  # none, where the write-ahead log still held all of it
    other.close()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_file_removed_or_replaced_under_a_running_client_is_noticed(jobs, chosen, tmp_path, replaced):
    for path in chosen.cache_dir.glob("jobs.sqlite*"):
        path.unlink()
    if replaced:
        shutil.copyfile(begun(tmp_path / "other") / "jobs.sqlite", chosen.cache_dir / "jobs.sqlite")
    assert jobs.list() == () and jobs.set_aside() == ()
    assert jobs.submit("steps", "k1", {}, "Anew").status == "queued"
    assert jobs.state("k1").title == "Anew" and (chosen.cache_dir / "jobs.sqlite").exists()


def flipped(jobs, chosen, places, seed):
    """Every look at a queue of which some bits are flipped, one at a time."""
    path = queue_file.of(chosen)
    jobs.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    sound, chance = path.read_bytes(), random.Random(seed)
    for _ in range(places):
        for left in chosen.cache_dir.glob("jobs.*"):
            left.unlink()
        data, at = bytearray(sound), chance.randrange(len(sound))
        data[at] ^= 1 << chance.randrange(8)
        path.write_bytes(data)
        made = Jobs(chosen)
        for job in made.list(100):
            assert job.status in ("queued", "failed"), at
        for key in ("k3", "k29", "new"):
            asked = made.submit("steps", key, {"n": 1}, "Steps")
            assert made.waiting(asked).served is False and made.state(key) is not None, at
        made.close()


def test_a_flipped_bit_of_the_list_is_survived(jobs, chosen):
    flipped(jobs, chosen, 12, 1)


@pytest.mark.soak
def test_many_flipped_bits_of_the_list_are_survived(jobs, chosen):
    flipped(jobs, chosen, 300, 2)


def test_a_row_that_makes_no_sense_is_a_job_that_failed(jobs, chosen):
    path = queue_file.of(chosen)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE workflow_input SET inputs = 'x' || inputs WHERE workflow_uuid = 'k3:0'")
        connection.execute("UPDATE workflow_status SET created_at = 'soon' WHERE workflow_uuid = 'k4:0'")
    states = {job.id: job for job in jobs.list()}
    assert len(states) == 30 and jobs.set_aside() == ()
    for key in ("k3", "k4"):
        assert not states[key].readable and states[key].status == "failed" and "finished parts are kept" in states[key].remedy
        assert jobs.submit("steps", key, {"n": 3}, "Asked again").title == "Asked again"
    assert jobs.state("k5").title == "Steps 5"


def test_a_table_that_is_gone_is_found_by_asking(jobs, chosen):
    """The file is a sound database, of something else."""
    with sqlite3.connect(queue_file.of(chosen)) as connection:
        connection.execute("DROP TABLE ntk_job")
        connection.execute("ALTER TABLE workflow_status RENAME TO workflow_statis")
    assert jobs.list() == () and len(jobs.set_aside()) == 1


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_sound_file_that_cannot_be_written_is_not_moved(jobs, chosen):
    jobs.close()
    queue_file.of(chosen).chmod(0o400)
    with pytest.raises(AtlasError):
        Jobs(chosen)
    assert not list(chosen.cache_dir.glob("*damaged*"))


def test_a_sound_file_that_somebody_holds_is_not_damaged(jobs, chosen):
    path = queue_file.of(chosen)
    with sqlite3.connect(path, isolation_level=None) as connection:
        connection.execute("BEGIN IMMEDIATE")
        assert not sqlite_file.is_damaged(path)
        connection.execute("ROLLBACK")
    assert not sqlite_file.is_damaged(chosen.cache_dir / "nothing") and not sqlite_file.is_damaged(chosen.cache_dir)
    assert len(jobs.list()) == 30
