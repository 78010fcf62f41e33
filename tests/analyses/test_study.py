"""The mechanism of studies: pieces are stored as they are done, an interrupted study goes on, and what is wrong is said."""

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError, model_validator
from recording import Recording

from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.progress import STUDY, PieceReporter, Planned, Stage
from ntkcore.analyses.study import Pieces, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, CorruptArtifact, SpecError
from ntkcore.specs import Spec


class Numbers(Spec):
    """The squares of the first numbers."""

    count: int = 3


class Shown(Spec):
    """How they are looked at."""


class Squares(Study[Numbers, Shown]):
    """Squares and powers, a piece for each number; it keeps the numbers that it computed."""

    kind, version, word = "squares", 1, "squares"
    spec, view = Numbers, Shown

    def __init__(self, of: str = "nothing") -> None:
        self.done: list[int] = []
        self._of = of

    def title(self, spec, ws):
        return "Squares"

    def content(self, spec, ws):
        return {"of": self._of}

    def forecast(self, spec, ws):
        refusal = "This needs too much: 3 numbers would fit." if spec.count > 100 else ""
        return Forecast((Stage(STUDY, "pieces", spec.count, 2.0),), 2.0, 1, 1, 2, 2, refusal, 3)

    def pieces(self, spec):
        return spec.count

    def shapes(self, spec, ws):
        return {"square": (), "powers": (4,)}

    def piece(self, spec, number, ws, reporter):
        reporter.plan([("Elsewhere", "things", 1, 1)])  # of what it calls: not announced again
        reporter.report("Elsewhere", 1)
        reporter.share(0.5, 1.0)(1, 2)
        self.done.append(number)
        return {"square": np.array(number**2), "powers": float(number) ** np.arange(4)}

    def answer(self, result, view, ws):
        return (f"{len(result['square'])} squares.",)

    def table(self, result, view, ws):
        return pd.DataFrame({"square": result["square"]})


class Newer(Squares):
    """Its next version."""

    kind, version = "squares", 2


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_parts_are_put_together(ws):
    squares, spec, told = Squares(), Numbers(count=4), Recording()
    assert squares.state(spec, ws) == "absent"
    squares.compute(spec, ws, told)
    found = squares.open(spec, ws)
    assert squares.state(spec, ws) == "ready" and squares.done == [0, 1, 2, 3]
    assert isinstance(found, Pieces) and (found.spec, found.key) == (spec, squares.key(spec, ws))
    np.testing.assert_array_equal(found["square"], [0, 1, 4, 9])
    np.testing.assert_array_equal(found["powers"], np.arange(4.0)[:, None] ** np.arange(4))
    assert {stage for stage, _ in told.reports} == {STUDY}
    said = [value for _, value in told.reports]
    assert said == sorted(said) and said[-1] == 4 and 0.75 in said
    squares.compute(spec, ws, Recording())
    assert squares.done == [0, 1, 2, 3]  # nothing is computed again


def test_an_interrupted_study_goes_on_with_what_is_missing(ws):
    squares, spec = Squares(), Numbers(count=4)
    with pytest.raises(Cancelled):
        squares.compute(spec, ws, Recording(stop_at=(STUDY, 2.5)))
    assert squares.done == [0, 1] and squares.state(spec, ws) == "partial"
    squares.compute(spec, ws, Recording())
    assert squares.done == [0, 1, 2, 3]
    np.testing.assert_array_equal(squares.open(spec, ws)["square"], [0, 1, 4, 9])


def test_a_damaged_part_is_computed_again_and_no_other(ws):
    squares, spec = Squares(), Numbers(count=4)
    squares.compute(spec, ws, Recording())
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "squares").rglob("powers/c/2/*") if p.is_file())
    tile.write_bytes(tile.read_bytes()[:-3])
    with pytest.raises(CorruptArtifact) as damage:
        squares.open(spec, ws)
    ws.store.reopen(damage.value)
    squares.compute(spec, ws, Recording())
    assert squares.done == [0, 1, 2, 3, 2]
    np.testing.assert_array_equal(squares.open(spec, ws)["powers"][2], [1, 2, 4, 8])


class Slow(Squares):
    """A piece counts to its number, and keeps where it is."""

    kind = "slow"

    def piece(self, spec, number, ws, reporter):
        kept = reporter.kept.get()
        self.done.append(-1 if kept is None else int(kept))
        for step in range(0 if kept is None else int(kept), number + 1):
            reporter.tell(step / (number + 1))
            reporter.kept.put(str(step).encode())
        return {"square": np.array(number**2), "powers": np.ones(4)}


def test_an_unfinished_piece_goes_on_from_what_it_left_and_nothing_of_it_stays(ws):
    slow, spec = Slow(), Numbers(count=4)
    with pytest.raises(Cancelled):
        slow.compute(spec, ws, Recording(stop_at=(STUDY, 3.5)))
    assert slow.done == [-1] * 4
    slow.compute(spec, ws, Recording())
    assert slow.done == [-1] * 4 + [1]  # it had kept its second step, and others' are not taken for its own
    assert not list(ws.store.open("slow", slow.key(spec, ws)).folder.glob("documents/*.blob"))


def test_what_was_left_on_another_device_is_left_out(ws):
    slow, spec = Slow(), Numbers(count=2)
    with pytest.raises(Cancelled):
        Slow().compute(spec, ws, Recording(stop_at=(STUDY, 1.5)))
    told = Recording(device="cuda:0")
    slow.compute(spec, ws, told)
    assert slow.done == [-1, -1] and "begun anew" in told.warnings[0]


def test_what_cannot_fit_is_refused_before_anything(ws):
    squares, spec = Squares(), Numbers(count=200)
    with pytest.raises(SpecError, match="3 numbers would fit"):
        squares.compute(spec, ws, Recording())
    assert not squares.done and squares.state(spec, ws) == "absent"


def test_another_version_or_content_is_another_study(ws):
    keys = {
        Squares().key(Numbers(), ws),
        Squares().key(Numbers(count=4), ws),
        Newer().key(Numbers(), ws),
        Squares(of="other").key(Numbers(), ws),
    }
    assert len(keys) == 4


def test_a_piece_tells_its_own_progress_and_what_it_expects():
    told = Recording()
    piece = PieceReporter(told, STUDY, 3)
    piece.report("Kernel", 7)  # nothing is expected of it: only whether to go on is asked
    piece.expect("Kernel", 10, 0.2, 0.6)
    piece.report("Kernel", 5)
    piece.progress("Kernel")(1, 1)
    piece.tell(0.1)  # it never goes back
    piece.share(0.6, 1.0)(1, 2)
    piece.warn("note")
    assert [done for stage, done in told.reports if stage == STUDY] == pytest.approx([3, 3.4, 3.6, 3.6, 3.8])
    assert len(told.reports) == 5 and told.warnings == ["note"] and piece.device == told.device


def test_what_is_announced_on_the_way_is_left_out():
    told = Recording()
    planned = Planned(told)
    planned.plan([("Elsewhere", "things", 2, 1)])
    planned.report("Elsewhere", 1)
    planned.progress("Elsewhere")(1, 2)
    assert not told.stages and told.reports == [("Elsewhere", 1), ("Elsewhere", 0)]


def test_what_a_choice_asks_for_in_vain_is_said_without_the_fields_name():
    class Even(Numbers):
        @model_validator(mode="after")
        def _even(self):
            if self.count % 2:
                raise ValueError(f"count: {self.count} is odd; choose an even number")
            return self

    with pytest.raises(ValidationError) as refused:
        Even(count=3)
    assert unasked(refused.value, "Choose.").message == "3 is odd; choose an even number."
    assert unasked(refused.value, "Choose.", "This cannot be: {}.").message == "This cannot be: 3 is odd; choose an even number."
