"""What was confirmed survives a killed writer, a full disk and a database that is away; what was not is said, and is not there."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from ntkcore.errors import LibraryError
from ntkcore.library import Content, Saved
from ntkcore.library.notes import Notes
from ntkcore.library.people import local

ANN = local("Ann")
SCRIPT = Path(__file__).with_name("writer_script.py")
PLAIN = Content("map", {}, {}, "A map")


@pytest.mark.kill
def test_a_writer_killed_between_its_lines_loses_nothing_confirmed(both, opened):
    confirmed = []
    for lines in (1, 6):  # killed while it writes what follows
        told = both.model_dump_json(include={"cache_dir", "database_url"})
        environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[2])}
        with subprocess.Popen([sys.executable, str(SCRIPT), told], stdout=subprocess.PIPE, text=True, env=environment) as process:
            confirmed += [process.stdout.readline().split() for _ in range(lines)]
            process.send_signal(signal.SIGKILL)
            confirmed += [line.split() for line in process.stdout.read().splitlines() if len(line.split()) == 3]
    library = opened(both)
    assert library.problem() is None
    saved, notes = Saved(library), Notes(library)
    for kind, code, number in confirmed:
        if kind == "note":
            assert int(number) in {note.id for note in notes.on_analysis(code, ANN)}
        else:
            assert saved.version(code, ANN, int(number)).content.title == "written"
    for code in {code for _, code, _ in confirmed}:
        versions = saved.versions(code, ANN)
        assert [one.number for one in versions] == list(range(len(versions), 0, -1))  # none without the one before it
        assert all(one.content.keys == (("map", "k", 1),) and one.newest == len(versions) for one in versions)
        assert saved.again(code, PLAIN, ANN, seen=len(versions)).number == len(versions) + 1


def test_a_full_disk_is_said_and_takes_nothing(chosen, opened):
    library = opened(chosen)
    saved, notes = Saved(library), Notes(library)
    code = saved.save(PLAIN, ANN).analysis
    kept = notes.write("before", ANN, analysis=code)
    with library.reading() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    library.close()
    full = sa.event.listens_for(sa.engine.Engine, "connect")(lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}"))
    try:
        with pytest.raises(LibraryError, match="disk is not full"):
            for _ in range(50):
                notes.write("x" * 4000, ANN, analysis=code)
        assert library.problem() is None and kept in {note.id for note in notes.on_analysis(code, ANN)}  # it is read all the same
    finally:
        sa.event.remove(sa.engine.Engine, "connect", full)
        library.close()
    before = len(notes.on_analysis(code, ANN))
    notes.write("y" * 4000, ANN, analysis=code)
    assert len(notes.on_analysis(code, ANN)) == before + 1


def test_a_database_that_is_away_is_said_and_comes_back(away, opened):
    settings, out, back = away
    library = opened(settings)
    saved = Saved(library)
    first = saved.save(PLAIN, ANN)
    out()
    assert "cannot be reached" in library.problem().message and "NTK_DATABASE_URL" in library.problem().remedy
    for ask in (lambda: saved.version(first.analysis, ANN), lambda: saved.again(first.analysis, PLAIN, ANN, seen=1)):
        with pytest.raises(LibraryError, match="cannot be reached"):
            ask()
    back()
    assert library.problem() is None and saved.version(first.analysis, ANN) == first
    assert saved.again(first.analysis, PLAIN, ANN, seen=1).number == 2


def test_a_connection_that_is_cut_in_mid_write_keeps_nothing_of_it(away, opened):
    settings, out, back = away
    library = opened(settings)
    saved = Saved(library)
    first = saved.save(PLAIN, ANN)
    with pytest.raises(LibraryError, match="cannot be reached"), library.writing() as connection:
        connection.execute(sa.text("UPDATE saved_analysis SET trashed = 1"))
        out()
        connection.execute(sa.text("UPDATE saved_analysis SET visibility = 'public'"))
    back()
    assert saved.version(first.analysis, ANN) == first


@pytest.fixture
def chosen(tmp_path):
    from caches import begun

    from ntkcore.settings import Settings

    return Settings(cache_dir=begun(tmp_path / "cache"))


@pytest.fixture
def away(postgresql, chosen):
    """Settings of a database, and what closes it to everybody and opens it again."""
    url = postgresql.database()
    return (
        chosen.model_copy(update={"database_url": url}),
        lambda: postgresql.close_to_all(url),
        lambda: postgresql.open_again(url),
    )
