"""Preparation of photographs for pretrained weights where nobody says any: filled in for who types, never for an address."""

import pytest
from caches import begun
from noise_photographs import photographs

from ntkcore import notebook
from ntkcore.analyses.prepared import prepared
from ntkcore.analyses.workspace import Workspace
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import Settings
from pages.shared.explain import Explainer, command_line, python_lines

NETWORK = {"kernel": "pseudo", "model": "timm:tf_efficientnet_lite0", "weights": "pretrained"}
WANTED = {"size": "224", "crop": "0.875", "interpolation": "bicubic"}


def explainer(query):
    return Explainer("", "", "", "", "", analysis="influence", show="influences", query=query)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared")
    ws = Workspace(Settings(cache_dir=begun(folder / "cache")))
    return ws, {"dataset": "own", "own": photographs(folder / "photographs.zip", ws.settings), "n": "8", "test": "4"} | NETWORK


def test_it_is_filled_in_and_said(made, capsys):
    ws, query = made
    found, said = prepared(query, ws)
    assert found == query | WANTED and "size 224, crop 0.875, interpolation bicubic" in said
    spec = notebook.ask("influence", query, ws).spec
    assert (spec.dataset.size, spec.dataset.crop, spec.dataset.interpolation) == (224, 0.875, "bicubic")
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("change", [{"size": "128"}, {"weights": "random"}, {"model": "cnn4"}, {"own": "0" * 64}])
def test_what_is_said_or_asks_for_none_stays_as_it_is(made, change):
    ws, query = made
    assert prepared(query | change, ws) == (query | change, "")


def test_images_can_be_left_as_they_were_imported(made):
    ws, query = made
    assert prepared(query | {"size": "imported"}, ws) == (query, "")
    assert notebook.ask("influence", query | {"size": "imported"}, ws).spec == ADDRESSES["influence"].read(query)[0]


def test_the_code_of_a_page_means_what_the_page_means(made):
    """An address without a size means the images as they were imported."""
    query = made[1]
    spec = ADDRESSES["influence"].read(query)[0]
    shown = explainer(ADDRESSES["influence"].write(spec))
    assert "size='imported'" in python_lines(shown) and "--size imported" in command_line(shown)
    sized = ADDRESSES["influence"].write(ADDRESSES["influence"].read(query | WANTED)[0])
    shown = explainer(sized)
    assert "imported" not in python_lines(shown) + command_line(shown)
