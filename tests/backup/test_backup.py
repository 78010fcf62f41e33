"""A backup holds what cannot be computed again, and puts it back on either database: all of it, or nothing."""

import io
import json
import os
import random
import resource
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa
from kept import LOOSE, PINNED, keep_something
from stored import KEY, publish

from ntkcore.backup import archive, back_up, restore
from ntkcore.cli import main
from ntkcore.data import open_pack, own_sets
from ntkcore.data.own_store import intact
from ntkcore.errors import AtlasError, DataError, LibraryError, StoreError
from ntkcore.library import Labels, Saved
from ntkcore.library.notes import Notes
from ntkcore.library.tables import METADATA
from ntkcore.library.tags import Tags
from ntkcore.settings import Settings
from ntkcore.store import Store


def rows(library):
    with library.reading() as connection:
        return {table.name: connection.execute(sa.select(table).order_by(*table.primary_key)).all() for table in METADATA.sorted_tables}


def tree(folder):
    """Every file of a cache and its content; locks and the memory of hashes come and go."""
    left = ("locks", "hashes.json", "owner-only", "used", "generation.json")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not set(path.relative_to(folder).parts) & set(left)
    }


@pytest.fixture
def backup(full, tmp_path):
    """The file of a backup of it."""
    back_up(tmp_path / "backup.tar", full[0])
    return tmp_path / "backup.tar"


def test_what_is_kept_comes_back_on_either_database(full, both, opened, tmp_path):
    settings, kept = full
    made = back_up(tmp_path / "backup.tar", settings)
    assert made.notes == () and (made.sets, made.results) == (1, 2) and made.rows["note"] == 2
    assert (tmp_path / "backup.tar").stat().st_mode & 0o777 == 0o600
    found = restore(tmp_path / "backup.tar", both)
    assert found.rows == made.rows and found.sets == (1, 1) and found.results == (2, 2)
    library, store = opened(both), Store(both.cache_dir, both.disk_budget)
    assert rows(library) == rows(opened(settings))
    assert Saved(library).version(kept.saved.analysis, kept.ann) == kept.saved
    assert Labels(library).standing(kept.session).labels == {3: 1}
    assert Tags(library).names(kept.ann) == ("odd",)
    assert intact(kept.own, both) and own_sets(both) == own_sets(settings)
    assert {entry.key: (entry.saved, entry.pinned) for entry in store.entries()} == {KEY: (True, False), PINNED: (False, True)}
    assert store.verify("thing", KEY) == [] and open_pack(kept.pack, both) is not None
    Notes(library).write("the next number is free", kept.ann, analysis=kept.saved.analysis)
    assert Saved(library).again(kept.saved.analysis, kept.saved.content, kept.ann, seen=2).number == 3
    assert not list(both.cache_dir.glob("*restor*")) and not list(tmp_path.glob(".*"))


def test_what_postgresql_gave_sqlite_takes(both, opened, tmp_path):
    kept = keep_something(both, tmp_path, opened(both))
    back_up(tmp_path / "backup.tar", both)
    other = Settings(cache_dir=tmp_path / "other")
    restore(tmp_path / "backup.tar", other)
    assert rows(opened(other)) == rows(opened(both))
    assert Saved(opened(other)).version(kept.saved.analysis, kept.ann) == kept.saved


def test_every_column_is_one_that_json_can_hold():
    assert {type(column.type) for table in METADATA.sorted_tables for column in table.columns} <= {
        sa.Text,
        sa.Integer,
        sa.BigInteger,
        sa.Double,
        sa.Boolean,
    }


def test_a_backup_is_of_one_moment(both, opened, tmp_path):
    """Rows that are written while it reads are in none of its tables."""
    library = opened(both)
    kept = keep_something(both, tmp_path, library)
    with library.still(tmp_path) as connection:
        first = connection.execute(sa.select(sa.func.count()).select_from(METADATA.tables["note"])).scalar_one()
        Notes(library).write("meanwhile", kept.ann, analysis=kept.saved.analysis)
        assert connection.execute(sa.select(sa.func.count()).select_from(METADATA.tables["note"])).scalar_one() == first
    with library.reading() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(METADATA.tables["note"])).scalar_one() == first + 1


def test_a_library_in_which_something_is_kept_is_not_written_over(backup, both, opened, full):
    library = opened(both)
    session = Labels(library).begin("label", "Mine", {}, "Ben")
    before = rows(library)
    with pytest.raises(LibraryError, match=r"not empty: 1 of label_session\. .*--replace") as refused:
        restore(backup, both)
    assert "nothing was restored" in refused.value.remedy and rows(library) == before and not (both.cache_dir / "sets").exists()
    restore(backup, both, replace=True)
    assert rows(library) == rows(opened(full[0])) and session not in {one.id for one in Labels(library).sessions("label")}


def test_a_damaged_library_is_replaced_and_no_journal_of_it_stays(backup, full, opened, tmp_path):
    settings, kept = full
    file = opened(settings).file
    file.write_bytes(b"noise" * 1000)
    file.with_name(f"{file.name}-journal").write_bytes(b"noise" * 1000)
    with pytest.raises(LibraryError, match="damaged"):
        restore(backup, settings)
    restore(backup, settings, replace=True)
    assert Saved(opened(settings)).version(kept.saved.analysis, kept.ann) == kept.saved
    assert not file.with_name(f"{file.name}-journal").exists()


def test_a_writer_that_died_leaves_no_journal_for_the_new_file(backup, full, opened, tmp_path):
    settings, kept = full
    code = (
        "import os, sqlite3, sys\n"
        "c = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "c.execute('PRAGMA cache_size=1'); c.execute('BEGIN IMMEDIATE')\n"
        "for _ in range(200): c.execute(\"INSERT INTO visit VALUES (hex(randomblob(500)), 'x', 1)\")\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", code, str(settings.cache_dir / "library.sqlite")], check=False)
    assert (settings.cache_dir / "library.sqlite-journal").exists()
    restore(backup, settings, replace=True)
    library = opened(settings)
    assert library.problem() is None and Saved(library).version(kept.saved.analysis, kept.ann) == kept.saved


def test_a_backup_of_an_earlier_program_is_brought_to_this_one_s(both, opened, tmp_path, monkeypatch):
    monkeypatch.setattr("ntkcore.library.database._HEAD", "labels")
    old = Settings(cache_dir=tmp_path / "old")
    library = opened(old)
    with monkeypatch.context() as patch:
        early = sa.MetaData()
        for name in ("label_session", "label_decision", "label_claim"):
            METADATA.tables[name].to_metadata(early)
        patch.setattr("ntkcore.backup.rows.METADATA", early)
        session = Labels(library).begin("label", "Digits", {}, "Ann")
        Labels(library).decide(session, 3, "label", "Ann", seen=None, label=1)
        patch.setattr("ntkcore.backup.make.KEYS", _empty("kind", "key"))
        patch.setattr("ntkcore.backup.make.VERSIONS", _empty("pack"))
        back_up(tmp_path / "old.tar", old)
    monkeypatch.undo()
    assert archive.about(tmp_path / "old.tar")["schema"] == "labels"
    restore(tmp_path / "old.tar", both)
    assert Labels(opened(both)).standing(session).labels == {3: 1} and opened(both).problem() is None
    with opened(both).reading() as connection:
        assert connection.execute(sa.select(METADATA.tables["person"].c.id)).scalars().all() == ["local"]


def _empty(*names):
    """Stands for a table that an earlier program did not have."""
    return sa.select(*(sa.literal("").label(name) for name in names)).where(sa.false()).subquery()


@pytest.mark.parametrize("change", [{"schema": "of tomorrow"}, {"format": 2}])
def test_a_backup_of_a_later_program_is_refused(backup, tmp_path, change):
    later = tmp_path / "later.tar"
    with tarfile.open(backup) as old, tarfile.open(later, "w") as new:
        for member in old:
            content = old.extractfile(member).read()
            if member.name == "about.json":
                content = json.dumps(json.loads(content) | change).encode()
                member.size = len(content)
            new.addfile(member, io.BytesIO(content))
    other = Settings(cache_dir=tmp_path / "other")
    with pytest.raises(DataError, match=r"made by a later version of this program\. Restore it with that version"):
        restore(later, other)
    assert tree(other.cache_dir) == {} if other.cache_dir.exists() else True


def test_a_damaged_backup_changes_nothing(backup, both, opened):
    library = opened(both)
    Labels(library).begin("label", "Mine", {}, "Ben")
    before, files, whole = rows(library), tree(both.cache_dir), backup.read_bytes()
    dice = random.Random(5)
    ends = [0, 1, 100, 600, len(whole) // 2, whole.rindex(b"hashes.json")]
    damages = [whole[:end] for end in ends] + [b"no backup at all", dice.randbytes(20_000)]
    with tarfile.open(backup) as tar:
        for member in tar:  # a bit of each file
            at = member.offset_data + dice.randrange(member.size) if member.size else member.offset
            damages.append(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    for damage in damages:
        backup.write_bytes(damage)
        with pytest.raises(AtlasError, match=r"damaged, or is no backup|later version"):
            restore(backup, both, replace=True)
    assert rows(library) == before and tree(both.cache_dir) == files
    with pytest.raises(DataError, match="no file"):
        restore(backup.with_name("none"), both)


@pytest.mark.parametrize("name", ["../out", "/etc/out", "sets/../../out", "library/.hidden", "a//b"])
def test_no_file_of_a_backup_leads_out_of_its_folder(backup, tmp_path, name):
    with tarfile.open(backup, "a") as tar:
        member = tarfile.TarInfo(name)
        tar.addfile(member)
    shifted = tmp_path / "shifted.tar"
    with tarfile.open(backup) as old, tarfile.open(shifted, "w") as new:
        members = old.getmembers()
        for member in [*members[:-2], members[-1], members[-2]]:
            new.addfile(member, old.extractfile(member))
    with pytest.raises(DataError, match="damaged, or is no backup"):
        restore(shifted, Settings(cache_dir=tmp_path / "deep" / "other"))
    assert not list(tmp_path.rglob("out"))


def test_what_is_damaged_is_left_out_and_said(full, tmp_path):
    settings, kept = full
    (settings.cache_dir / "sets" / kept.own / "labels.npy").write_bytes(b"")
    (settings.cache_dir / "artifacts" / "thing" / PINNED / "manifest.json").write_bytes(b"")
    Store(settings.cache_dir, 1).remove("thing", KEY)
    made = back_up(tmp_path / "backup.tar", settings)
    assert (made.sets, made.results) == (0, 0)
    said = " ".join(made.notes)
    assert "The set 'Pets' is damaged" in said and "1 of the results are damaged" in said and "1 of the results that saved" in said
    other = Settings(cache_dir=tmp_path / "other")
    assert restore(tmp_path / "backup.tar", other).rows == made.rows


def test_what_is_damaged_here_is_mended_and_what_is_sound_stays(backup, full, opened):
    settings, kept = full
    labels = settings.cache_dir / "sets" / kept.own / "labels.npy"
    sound = labels.read_bytes()
    labels.write_bytes(b"")
    (settings.cache_dir / "artifacts" / "thing" / PINNED / "manifest.json").write_bytes(b"")
    found = restore(backup, settings, replace=True)
    assert found.sets == (1, 1) and found.results == (1, 2) and labels.read_bytes() == sound
    assert Store(settings.cache_dir, 1).state("thing", LOOSE) == "ready"


def _limited(bytes_, do):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, hard))
    try:
        do()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_is_said_and_leaves_the_older_backup(backup, full, tmp_path):
    whole, store = backup.read_bytes(), Store(full[0].cache_dir, 1)
    publish(store, np.ones((400, 400)), key="d" * 64, chunks=(100, 100))  # more than the library takes
    store.pin("thing", "d" * 64)
    with pytest.raises(AtlasError, match=r"disk is (not )?full"):
        _limited(1_000, lambda: back_up(backup, full[0]))
    with pytest.raises(StoreError, match=r"The disk is full; no backup was written\. Free"):
        _limited(1_000_000, lambda: back_up(backup, full[0]))
    assert backup.read_bytes() == whole and not list(tmp_path.glob(".*"))


def test_a_folder_that_is_not_there_is_not_made(full, tmp_path):
    with pytest.raises(StoreError, match=r"No such file or directory\); no backup was written"):
        back_up(tmp_path / "unmounted" / "backup.tar", full[0])
    assert not (tmp_path / "unmounted").exists()


def test_a_full_disk_restores_nothing(backup, both, opened):
    library = opened(both)
    Labels(library).begin("label", "Mine", {}, "Ben")
    before, files = rows(library), tree(both.cache_dir)
    with pytest.raises(StoreError, match="The disk is full; nothing was restored"):
        _limited(200, lambda: restore(backup, both, replace=True))
    if library.file is not None:
        with pytest.raises(LibraryError, match="disk is not full"):
            _limited(20_000, lambda: restore(backup, both, replace=True))
    assert rows(library) == before and tree(both.cache_dir) == files


_KILLED = """
import sys
from pathlib import Path
from ntkcore.backup import restore
from ntkcore.settings import Settings
def tell(what):
    print(what, flush=True)
    sys.stdin.readline()
restore(Path(sys.argv[1]), Settings.model_validate_json(sys.argv[2]), replace=True, tell=tell)
"""


@pytest.mark.kill
def test_a_restoring_that_is_killed_leaves_the_library_as_it_was(backup, both, opened, full):
    library = opened(both)
    Labels(library).begin("label", "Mine", {}, "Ben")
    before, own = rows(library), both.model_dump_json(include={"cache_dir", "database_url"})
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", _KILLED, str(backup), own]
    for steps in (1, 3):
        with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            for step in range(steps):
                assert process.stdout.readline()
                if step + 1 < steps:
                    process.stdin.write("\n")
                    process.stdin.flush()
            process.send_signal(signal.SIGKILL)
        library.close()
        assert rows(library) == before
    restore(backup, both, replace=True)
    assert rows(library) == rows(opened(full[0])) and not (both.cache_dir / "restoring").exists()


def test_the_command_line_says_what_is_in_it(cache, tmp_path, monkeypatch, capsys):
    from recording import Recording
    from small_analyses import SMALL

    from ntkcore.analyses.learnability.analysis import LEARNABILITY
    from ntkcore.analyses.sharing import saving
    from ntkcore.analyses.workspace import Workspace
    from ntkcore.library.people import local
    from ntkcore.permalink import ADDRESSES
    from ntkcore.settings import settings

    ws = Workspace(cache)
    spec, view = ADDRESSES["learnability"].read(SMALL["learnability"])
    LEARNABILITY.compute(spec, ws, Recording())
    kept = saving.save("learnability", spec, view, local("Ann"), ws).version
    ws.library.close()
    assert main(["backup", str(tmp_path / "b.tar")]) == 0
    assert "1 saved analyses, 0 notes" in capsys.readouterr().out
    monkeypatch.setenv("NTK_CACHE_DIR", str(tmp_path / "new"))
    settings.cache_clear()
    assert main(["restore", str(tmp_path / "b.tar")]) == 0
    assert "3 of 3 results were not here yet" in capsys.readouterr().out
    assert main(["restore", str(tmp_path / "b.tar")]) == 1
    assert "not empty" in capsys.readouterr().err
    new = Workspace(settings())
    opened = saving.opened(kept.reference, local("Ann"), new)
    assert LEARNABILITY.ready(opened.spec, new)
    assert LEARNABILITY.answer(LEARNABILITY.open(opened.spec, new), opened.view, new)[0] == kept.content.answer
    new.library.close()
