"""The map: its kernel is the influence analysis's, stored or not; what a full kernel is to it; what of it is shown."""

from dataclasses import replace

import numpy as np
import pytest
from recording import Recording
from seeded import rate

from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.map import drawn, views
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.map.kernel import FILLED
from ntkcore.analyses.workspace import Workspace
from ntkcore.embedding import nearest, outside, principal
from ntkcore.errors import AtlasError
from ntkcore.settings import Settings
from ntkcore.specs.filters import filter_text, range_of
from ntkcore.specs.map import MapSpec, MapView

DATA = {"classes": ("3", "5", "8"), "n": 40, "label_noise": 0.2}
NETWORK = {"kernel": "pseudo", "model": {"width": 8, "depth": 1}, "dtype": "float64"}
SPECS = {
    "two-layer": {},
    "pseudo": NETWORK,
    "full": NETWORK | {"kernel": "full"},
    "trained": NETWORK | {"training": {"epochs": 2}},
}


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    return begun(tmp_path_factory.mktemp("map"))


def begun(folder):
    rate(folder)
    return Workspace(Settings(cache_dir=folder))


def spec_of(name):
    return MapSpec.model_validate(SPECS[name] | {"dataset": DATA, "test": 6})


@pytest.fixture(scope="module")
def made(ws):
    found = {}

    def make(name):
        if name not in found:
            MAP.compute(spec_of(name), ws, Recording())
            found[name] = MAP.open(spec_of(name), ws)
        return found[name]

    return make


@pytest.mark.parametrize("name", SPECS)
def test_its_kernel_is_that_of_the_influence_analysis(made, ws, name, tmp_path):
    spec, own = spec_of(name), made(name)
    assert not INFLUENCE.ready(spec.influence, ws)
    other = begun(tmp_path)
    INFLUENCE.compute(spec.influence, other, Recording())
    kernel = other.store.open("influence", INFLUENCE.key(spec.influence, other)).read("k_train")
    kernel = np.trace(kernel, axis1=2, axis2=3) / 3 if kernel.ndim == 4 else kernel
    MAP.compute(spec, other, Recording())
    shared = MAP.open(spec, other)
    plane, near = principal(kernel, 10), nearest(kernel, 100)
    for result in (own, shared):
        np.testing.assert_allclose(result.coordinates, plane.coordinates, atol=1e-6)
        np.testing.assert_allclose(result.shares, plane.shares, rtol=1e-6)
        np.testing.assert_array_equal(result.alike, near.alike)
        np.testing.assert_allclose(result.diagonal, np.diagonal(kernel))
        assert result.neighbours.shape == (40, 2) and result.near.shape == (40, 39)
    held = INFLUENCE.open(spec.influence, other)
    k_test = np.trace(held.k_test, axis1=2, axis2=3) / 3 if held.k_test.ndim == 4 else held.k_test
    lies = outside(kernel.astype(np.float64), k_test, plane.coordinates)
    older = replace(shared, held=None)  # of a version that did not keep them
    for found in (own.held, shared.held, drawn.held_out(views.Look.of(older, MapView(), other))):
        scale = np.abs(lies.coordinates[:, :2]).max()
        np.testing.assert_allclose(found.outside.coordinates[:, :2], lies.coordinates[:, :2], atol=1e-5 * scale)
        np.testing.assert_array_equal(found.labels, held.test_labels)
        assert found.ids == held.test_ids and found.pack == held.test_pack
    np.testing.assert_array_equal(shared.outputs, held.f_train)
    assert shared.ids == held.ids and shared.pack == held.pack


def test_the_kernel_that_it_made_is_not_kept(made, ws):
    artifact = ws.store.open("map", made("pseudo").key)
    assert not set(FILLED) & {*artifact.names, *artifact.documents}


def test_what_was_finished_stays_when_it_is_cancelled(tmp_path):
    ws, spec = begun(tmp_path), spec_of("two-layer")

    class Stopping(Recording):
        def report(self, stage, done):
            super().report(stage, done)
            if stage == "Neighbour embedding":
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MAP.compute(spec, ws, Stopping())
    assert MAP.state(spec, ws) == "partial"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ntkcore.analyses.map.analysis.source_of", None)  # nothing that needs it is missing
        MAP.compute(spec, ws, Recording())
    assert MAP.ready(spec, ws)


def test_what_is_drawn_beside_the_points(made, ws):
    result = made("pseudo")

    def as_drawn(**view):
        chosen = MapView.model_validate(view)
        return drawn.drawn(views.Look.of(result, chosen, ws), chosen)

    assert as_drawn().held is None and as_drawn().sizes is None and as_drawn().density is None  # fewer than there are lines of
    held = as_drawn(held=True, only=("5",)).held
    np.testing.assert_array_equal(held.points, result.held.outside.coordinates[:, :2])
    np.testing.assert_array_equal(held.shown, held.labels == 1)
    there = as_drawn(held=True, plane="neighbours").held.points
    np.testing.assert_array_equal(there, np.median(result.neighbours[result.held.outside.near], axis=1))
    sizes = as_drawn(sized="apart").sizes
    assert sizes.min() == 0 and sizes.max() == 1 and sizes.argmax() == result.distances[:, 9].argmax()
    with pytest.raises(AtlasError, match="not known"):
        as_drawn(sized="loss")


def test_a_map_of_before_held_out_images_were_kept_still_opens(made, ws, monkeypatch):
    kept = made("two-layer")
    monkeypatch.setattr("ntkcore.analyses.map.analysis.HELD", ("held", "held_near", "held_labels", "gone"))
    artifact = ws.store.open("map", kept.key)
    monkeypatch.setattr(type(artifact), "names", property(lambda self: tuple(n for n in self._arrays if not n.startswith("held"))))
    older = MAP.load(artifact, spec_of("two-layer"), ws)
    assert older.held is None and drawn.held_out(views.Look.of(older, MapView(), ws)) is None
    np.testing.assert_array_equal(older.coordinates, kept.coordinates)


def test_what_is_shown_and_in_which_order(made, ws):
    result = made("two-layer")

    def shown(**view):
        chosen = MapView.model_validate(view)
        return views.shown(views.Look.of(result, chosen, ws), chosen)

    assert sorted(shown()) == list(range(40))
    assert (np.diff(result.labels[shown()]) >= 0).all()
    assert list(shown(picked=(5, 3, 99))) == sorted((3, 5), key=lambda image: (result.labels[image], image))
    assert list(shown(like=7))[:3] == [7, *result.alike[7][:2]]
    assert set(result.labels[shown(only=("5",))]) == {1}
    values = result.distances[:, 9]
    assert (np.diff(values[shown(order="apart")]) <= 0).all() and (np.diff(values[shown(order="-apart")]) >= 0).all()
    middle = float(np.median(values))
    kept = shown(filters=(filter_text("apart", middle, np.inf),))
    assert set(kept) == set(np.flatnonzero(values >= middle))


def test_numbers_come_from_what_is_stored(tmp_path):
    ws, spec = begun(tmp_path), spec_of("two-layer")
    MAP.compute(spec, ws, Recording())
    result = MAP.open(spec, ws)
    view = MapView(colour="information", ridge=0.1)
    look = views.Look.of(result, view, ws)
    assert "information" not in look.titles
    with pytest.raises(AtlasError, match="not known"):
        drawn.colours(look, view)
    INFLUENCE.compute(spec.influence, ws, Recording())
    look = views.Look.of(result, view, ws)
    assert "information" in look.titles and "learned" not in look.titles
    found = drawn.colours(look, view)
    assert found is not None and found.values.shape == (40,) and found.ends[0] < found.ends[1] and not found.signed
    for name in look.titles:
        assert look.number(name).shape == (40,), name


def test_what_a_link_names_in_vain_is_said(made):
    result = made("two-layer")
    assert views.missing_from(result, MapView(image=3, colour="kept")) == ""
    view = MapView(image=40, like=50, only=("9",), colour="beauty", basket=(99,))
    said = views.missing_from(result, view)
    assert all(text in said for text in ("image 40", "image 50", "class 9", "beauty", "selected"))


@pytest.mark.parametrize("text", ["k-xx~0.1~2.0", "k-xx~~2.0", "loss~0.1~"])
def test_a_filter_is_written_as_it_is_read(text):
    assert filter_text(*range_of(text)) == text


@pytest.mark.parametrize("text", ["", "k-xx", "k-xx~2~1", "k-xx~a~b", "~1~2", "k-xx~nan~1"])
def test_what_is_no_filter_is_refused(text):
    with pytest.raises(ValueError):
        MapView(filters=(text,))
