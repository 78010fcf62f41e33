"""The library's file: begun whole, never replaced, nothing written to a damaged one."""

import random
import sqlite3
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from caches import begun

from ntkcore.errors import LibraryError
from ntkcore.library import Labels, Library
from ntkcore.library.database import schema_of
from ntkcore.library.people import LOCAL
from ntkcore.library.tables import METADATA, PEOPLE
from ntkcore.settings import Settings

NOISE = random.Random(0).randbytes(100_000)
DAMAGES = {
    "noise": lambda data: NOISE[: len(data)],
    "half": lambda data: data[: len(data) // 2],
    "nothing": lambda data: b"",
    "header": lambda data: NOISE[:100] + data[100:],
    "behind the header": lambda data: data[:4096] + NOISE[: len(data) - 4096],
}


@pytest.fixture
def chosen(tmp_path):
    return Settings(cache_dir=begun(tmp_path / "cache"))


@pytest.fixture
def library(chosen):
    made = Library(chosen)
    yield made
    made.close()


def test_the_migrations_make_the_tables_as_they_are_described(both, opened):
    with opened(both).reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
        assert connection.execute(sa.select(PEOPLE.c.id)).scalars().all() == [LOCAL]


def test_a_library_of_the_first_version_keeps_its_labels(both, opened, monkeypatch):
    monkeypatch.setattr("ntkcore.library.database._HEAD", "labels")
    old = opened(both)
    session = Labels(old).begin("label", "Digits", {}, "Ann")
    Labels(old).decide(session, 3, "label", "Ann", seen=None, label=1)
    old.close()
    monkeypatch.undo()
    new = opened(both)
    assert Labels(new).standing(session).labels == {3: 1}
    with new.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []


def test_a_migration_that_fails_changes_nothing(both, opened, monkeypatch):
    monkeypatch.setattr("ntkcore.library.database._HEAD", "labels")
    old = opened(both)
    session = Labels(old).begin("label", "Digits", {}, "Ann")
    Labels(old).decide(session, 3, "label", "Ann", seen=None, label=1)
    with old.writing() as connection:
        connection.execute(sa.text("CREATE TABLE audit (id INTEGER)"))  # in the way of the last migration, not of that before
        before = set(sa.inspect(connection).get_table_names())
    old.close()
    monkeypatch.undo()
    new = opened(both)
    with pytest.raises(LibraryError):
        Labels(new).standing(session)
    monkeypatch.setattr("ntkcore.library.database._HEAD", "labels")
    with old.writing() as connection:
        assert set(sa.inspect(connection).get_table_names()) == before and schema_of(connection) == "labels"
        connection.execute(sa.text("DROP TABLE audit"))
    old.close()
    monkeypatch.undo()
    assert Labels(new).standing(session).labels == {3: 1}


def test_two_programs_that_start_together_migrate_once(both, opened):
    libraries, failed = [opened(both) for _ in range(4)], []

    def start(library):
        try:
            Labels(library).sessions("label")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=start, args=(one,)) for one in libraries]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed


def test_nothing_is_begun_until_something_is_kept(library):
    assert library.problem() is None and not library.file.exists()
    Labels(library).begin("label", "Digits", {}, "Ann")
    assert library.problem() is None and [path.name for path in library.file.parent.glob("*library*")] == ["library.sqlite"]


@pytest.mark.parametrize("name", DAMAGES)
@pytest.mark.parametrize("running", [True, False])
def test_a_damaged_file_stays_as_it_is(library, chosen, name, running):
    labels = Labels(library)
    session = labels.begin("label", "Digits", {}, "Ann")
    labels.decide(session, 0, "label", "Ann", seen=None, label=1)
    sound = library.file.read_bytes()
    damaged = DAMAGES[name](sound)
    if not running:
        library.close()
        labels = Labels(library := Library(chosen))
    library.file.write_bytes(damaged)
    for _ in range(2):
        assert "damaged" in library.problem().message and "Nothing is written" in library.problem().remedy
        for ask in (
            lambda: labels.decide(session, 1, "label", "Ann", seen=None, label=1),
            lambda: labels.begin("label", "another", {}, "Ann"),
            lambda: labels.standing(session),
            lambda: labels.claim(session, [1], "a", "Ann"),
        ):
            with pytest.raises(LibraryError, match="damaged"):
                ask()
    assert library.file.read_bytes() == damaged
    assert [path.name for path in library.file.parent.glob("*library*")] == ["library.sqlite"]
    library.file.write_bytes(sound)  # its owner's copy
    assert library.problem() is None and labels.standing(session).labels == {0: 1}
    library.close()


def test_a_database_without_our_tables_is_damaged_too(library):
    labels = Labels(library)
    labels.begin("label", "Digits", {}, "Ann")
    library.close()
    with sqlite3.connect(library.file) as connection:
        connection.execute("DROP TABLE label_decision")
    left = library.file.read_bytes()
    with pytest.raises(LibraryError, match="damaged"):
        labels.sessions("label")
    assert library.file.read_bytes() == left


def test_another_program_s_labels_are_seen_and_a_removed_file_begins_anew(library, chosen):
    other = Library(chosen)
    one, two = Labels(library), Labels(other)
    session = one.begin("label", "Digits", {}, "Ann")
    two.decide(session, 0, "label", "Ben", seen=None, label=1)
    assert one.standing(session).labels == {0: 1}
    library.file.rename(library.file.with_name("kept"))
    assert one.sessions("label") == () and two.begin("label", "New", {}, "Ben")
    assert len(one.sessions("label")) == 1
    other.close()


def test_a_library_of_a_later_version_is_refused(both, opened):
    library = opened(both)
    Labels(library).begin("label", "Digits", {}, "Ann")
    with library.writing() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'later'"))
    library.close()
    assert "later version" in library.problem().message
    with pytest.raises(LibraryError, match="Start that version; nothing was written"):
        Labels(library).begin("label", "Digits", {}, "Ann")


def test_what_fails_is_kept_not_at_all(library):
    labels = Labels(library)
    session = labels.begin("label", "Digits", {}, "Ann")
    with pytest.raises(ZeroDivisionError), library.writing() as connection:
        connection.execute(sa.text("UPDATE label_session SET title = 'x'"))
        raise ZeroDivisionError
    assert labels.session(session).title == "Digits"


def test_a_disk_that_refuses_is_said(library, chosen, monkeypatch):
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorcode = sqlite3.SQLITE_IOERR

    def refused(*_):
        raise sa.exc.OperationalError("", {}, error)

    Labels(library).begin("label", "Digits", {}, "Ann")
    monkeypatch.setattr(sa.engine.Engine, "connect", refused)
    assert "cannot be reached" in library.problem().message
