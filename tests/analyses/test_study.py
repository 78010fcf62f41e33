"""The mechanism of studies: parts are stored as they are done, an interrupted study goes on, and what is wrong is said."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from recording import Recording

from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.progress import STUDY, Stage
from ntkcore.analyses.study import PartReporter, Parts, Study
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import Cancelled, CorruptArtifact, SpecError
from ntkcore.specs import Spec


class Squares(Spec):
    """The squares of the first numbers."""

    count: int = 3


def _forecast(spec: Squares, ws: Workspace) -> Forecast:
    refusal = "This needs too much: 3 numbers would fit." if spec.count > 100 else ""
    return Forecast((Stage(STUDY, "parts", spec.count, 2.0),), 2.0, 1, 1, 2, 2, refusal, 3)


def study(done: list[int]) -> Study[Squares]:
    def compute(spec: Squares, part: int, ws: Workspace, reporter: PartReporter) -> dict[str, np.ndarray]:
        reporter.plan([("Elsewhere", "things", 1, 1)])  # of what it calls: not announced again
        reporter.report("Elsewhere", 1)
        reporter.share(0.5, 1.0)(1, 2)
        done.append(part)
        return {"square": np.array(part**2), "powers": float(part) ** np.arange(4)}

    return Study(
        kind="squares",
        version=1,
        spec=Squares,
        asked=lambda spec, view: Squares(),
        table=lambda parts: pd.DataFrame({"square": parts["square"]}),
        title=lambda spec, ws: "Squares",
        content=lambda spec, ws: {"of": "nothing"},
        parts=lambda spec: spec.count,
        shapes=lambda spec, ws: {"square": (), "powers": (4,)},
        forecast=_forecast,
        compute=compute,
    )


@pytest.fixture
def ws(cache):
    return Workspace(cache)


def test_parts_are_put_together(ws):
    done: list[int] = []
    squares, spec, told = study(done), Squares(count=4), Recording()
    assert squares.state(spec, ws) == "absent"
    squares.run(spec, ws, told)
    found = squares.open(spec, ws)
    assert squares.state(spec, ws) == "ready" and done == [0, 1, 2, 3]
    assert isinstance(found, Parts) and (found.spec, found.key) == (spec, squares.key(spec, ws))
    np.testing.assert_array_equal(found["square"], [0, 1, 4, 9])
    np.testing.assert_array_equal(found["powers"], np.arange(4.0)[:, None] ** np.arange(4))
    assert {stage for stage, _ in told.reports} == {STUDY}
    said = [value for _, value in told.reports]
    assert said == sorted(said) and said[-1] == 4 and 0.75 in said
    squares.run(spec, ws, Recording())
    assert done == [0, 1, 2, 3]  # nothing is computed again


def test_an_interrupted_study_goes_on_with_what_is_missing(ws):
    done: list[int] = []
    squares, spec = study(done), Squares(count=4)
    with pytest.raises(Cancelled):
        squares.run(spec, ws, Recording(stop_at=(STUDY, 2.5)))
    assert done == [0, 1] and squares.state(spec, ws) == "partial"
    squares.run(spec, ws, Recording())
    assert done == [0, 1, 2, 3]
    np.testing.assert_array_equal(squares.open(spec, ws)["square"], [0, 1, 4, 9])


def test_a_damaged_part_is_computed_again_and_no_other(ws):
    done: list[int] = []
    squares, spec = study(done), Squares(count=4)
    squares.run(spec, ws, Recording())
    tile = next(p for p in (ws.settings.cache_dir / "artifacts" / "squares").rglob("powers/c/2/*") if p.is_file())
    tile.write_bytes(tile.read_bytes()[:-3])
    with pytest.raises(CorruptArtifact) as damage:
        squares.open(spec, ws)
    ws.store.reopen(damage.value)
    squares.run(spec, ws, Recording())
    assert done == [0, 1, 2, 3, 2]
    np.testing.assert_array_equal(squares.open(spec, ws)["powers"][2], [1, 2, 4, 8])


def test_what_cannot_fit_is_refused_before_anything(ws):
    done: list[int] = []
    with pytest.raises(SpecError, match="3 numbers would fit"):
        study(done).run(Squares(count=200), ws, Recording())
    assert not done and study(done).state(Squares(count=200), ws) == "absent"


def test_another_version_or_content_is_another_study(ws):
    squares = study([])
    keys = {
        squares.key(Squares(), ws),
        squares.key(Squares(count=4), ws),
        replace(squares, version=2).key(Squares(), ws),
        replace(squares, content=lambda spec, ws: {"of": "other"}).key(Squares(), ws),
    }
    assert len(keys) == 4
