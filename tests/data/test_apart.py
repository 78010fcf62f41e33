"""Imports in a process of their own: the same as here, within their memory, and nothing left of one that ends early."""

import signal
import sys
import threading

import pytest
from reviews import write_reviews

from ntkcore.data import Columns, Order, TextWishes, apart, import_apart, import_set, own_sets
from ntkcore.errors import Cancelled, DataError
from ntkcore.settings import Settings


def told_nothing(what, done, total):
    pass


def sets(local):
    return sorted(path.name for path in (local.cache_dir / "sets").glob("*"))


def test_it_is_the_same_import(make, local, tmp_path):
    path = make.zip(tmp_path / "set", make.classes(names=("cat", "dog"), each=40))
    told = []
    found = import_apart(Order((path,), "pets", 8), local, lambda *steps: told.append(steps))
    assert [(item.content_id, item.name) for item in own_sets(local)] == [(found, "pets")]
    assert not import_set(path, local, name="pets", side=8).new
    assert told[-1] == ("images", 1, 1)


def test_texts_take_their_wishes_along(local, tmp_path):
    path = write_reviews(tmp_path / "t", header=("one", "two"))
    (tmp_path / "v").write_bytes(b"film 1 2 3\nstory 2 1 0\nmusic 0 1 1\n")
    told = []
    import_apart(Order((path,), "x", texts=TextWishes(Columns("one", "two"), tmp_path / "v")), local, lambda *steps: told.append(steps))
    assert [(item.kind, item.shape) for item in own_sets(local)] == [("texts", (3,))]
    assert told[-1][0] == "texts"


def test_what_is_wrong_is_said_as_here(make, local, tmp_path):
    path = make.zip(tmp_path / "set", make.classes() | {"loose.png": make.encoded()})
    with pytest.raises(DataError, match=r"'loose\.png'") as here:
        import_set(path, local, name="x")
    with pytest.raises(DataError) as there:
        import_apart(Order((path,), "x"), local, told_nothing)
    assert (there.value.message, there.value.remedy) == (here.value.message, here.value.remedy)
    assert sets(local) == []


@pytest.fixture
def many(make, tmp_path):
    """A zip of 4,000 images, which takes half a second and more."""
    image = make.encoded((60, 60, 3))
    return make.zip(tmp_path / "many", {f"{name}/{i}.png": image for name in ("cat", "dog") for i in range(2000)})


@pytest.mark.skipif(sys.platform != "linux", reason="others do not keep to the limit")
@pytest.mark.parametrize("megabytes", [70, 1])
def test_one_that_passes_its_memory_stops_and_leaves_nothing(make, tmp_path, megabytes):
    """Photographs of 27 MB each; with more memory the same file is a set."""
    photograph = make.encoded((3000, 3000, 3), kind="JPEG")
    path = make.zip(tmp_path / "set", {f"{name}/{i}.jpg": photograph for name in ("cat", "dog") for i in range(2)})
    small, large = (Settings(cache_dir=tmp_path / f"{size}", job_memory=size * 2**20) for size in (megabytes, 1000))
    with pytest.raises(DataError, match=f"more than the {megabytes} MiB of memory|more memory than is left") as caught:
        import_apart(Order((path,), "x", 16), small, told_nothing)
    assert caught.value.remedy
    assert sets(small) == []
    if megabytes > 1:
        import_apart(Order((path,), "x", 16), large, told_nothing)
        assert len(sets(large)) == 1


def test_a_cancelled_one_stops_at_once_and_leaves_nothing(many, local):
    def cancel(what, done, total):
        if done:
            raise Cancelled

    with pytest.raises(Cancelled):
        import_apart(Order((many,), "x", 64), local, cancel)
    assert sets(local) == []


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGKILL, "MiB of memory"), (signal.SIGABRT, "MiB of memory"), (signal.SIGSEGV, r"broke down \(SIGSEGV\)")]
)
def test_one_that_dies_takes_nothing_with_it(many, local, monkeypatch, number, said):
    started = []
    popen = apart.subprocess.Popen
    monkeypatch.setattr(apart.subprocess, "Popen", lambda *given, **named: started.append(popen(*given, **named)) or started[0])

    def kill(what, done, total):
        if done and not killed.is_set():
            killed.set()
            started[0].send_signal(number)

    killed = threading.Event()
    with pytest.raises(DataError, match=said) as caught:
        import_apart(Order((many,), "x", 64), local, kill)
    assert caught.value.remedy
    assert sets(local) == []
