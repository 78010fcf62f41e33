"""Links and lines that people have kept from version 0.1.0 go on working, or say what they are called now."""

import json

import pytest

from ntkcore.cli import _parser, _renamed
from ntkcore.permalink import ADDRESSES
from ntkcore.specs import ModelSpec, key_of
from ntkcore.specs.convergence import ConvergenceSpec

_KEY_OF_BEFORE = "518f09b6fafcf77f8c62b826ea841778e401fe6ba0ce8af4e1ef0780cf490c32"
TEN = [
    (
        "learnability",
        {"dataset": "mnist", "classes": ["7", "9"], "model": "cnn4", "at": "5", "show": "easy", "basket": "1-3,9", "log": "1"},
    ),
    ("learnability", {"dataset": "cifar10", "n": "500", "noise": "0.1", "full": "0", "picked": "4-6", "order": "learned-down"}),
    ("convergence", {"dataset": "digits", "widths": "32,128", "looks": "0,5", "seeds": "2", "point": "128-0-5", "epoch": "5"}),
    (
        "influence",
        {"dataset": "mnist", "classes": ["7", "9"], "ridge": "1.0", "time": "2.5", "target": "4", "basket": "0-2", "deed": "relabel"},
    ),
    (
        "influence",
        {"dataset": "digits", "kernel": "pseudo", "model": "fcn", "width": "512", "epochs": "5", "verify": "1024", "compress": "subset"},
    ),
    ("reliability", {"dataset": "digits", "classes": ["3", "8"], "ridge": "4.0", "bandwidth": "cv", "light": "red", "minibatch": "16"}),
    (
        "information",
        {"dataset": "digits", "ask": "mislabelled", "labels-accepted": "1-4", "labels-relabelled": "0~12,40.1~7", "every": "1"},
    ),
    (
        "information",
        {
            "dataset": "digits",
            "ask": "drop",
            "drop-model": "cnn3",
            "drop-shares": "10,50",
            "drop-epochs": "3",
            "drop-rate": "0.1",
            "drop-width": "32",
            "drop-start": "pytorch",
            "drop-init": "0",
            "drop-weights": "random",
        },
    ),
    (
        "information",
        {"dataset": "mnist", "ask": "sources", "sources-others": ["digits"], "groups-common-count": "40", "groups-counts": "5,10"},
    ),
    ("information", {"dataset": "mnist", "ask": "believe", "believe-others": ["fcn-2", "cnn3"], "toy-shown": "1", "toy-point": "3"}),
]


@pytest.mark.parametrize(("page", "query"), TEN)
def test_a_link_of_before_opens_what_it_said(page, query):
    spec, view = ADDRESSES[page].read(query)
    assert ADDRESSES[page].write(spec, view) == query
    flat = json.dumps(spec.model_dump(mode="json")) + json.dumps(view.model_dump(mode="json"))
    words = [word for value in query.values() for word in (value if isinstance(value, list) else [value])]
    for word in words:
        if word.isalpha() and word not in ("show",):
            assert json.dumps(word) in flat


def test_the_key_of_a_network_of_before_is_what_it_was():
    """What came later is left out of the specification where it is the default."""
    assert ModelSpec().canonical() == (
        '{"architecture":"fcn","depth":2,"initialisation":"pytorch","seed":0,"weights":"random","width":256}'
    )
    assert key_of("training", 1, ModelSpec(architecture="resnet20", weights="pretrained"), {"data": "x"}) == _KEY_OF_BEFORE
    assert not {"weights", "sees", "head", "head_size", "batch_norm"} & set(ConvergenceSpec().model_dump())


def test_the_names_of_each_page_are_those_of_before():
    """Names may be added; none may go."""
    kept = {
        "learnability": "hard easy show order only judged low high picked basket image marked errors log page",
        "convergence": "epoch width kernel over point heat",
        "influence": "ridge time target tests only mean picked show group image held verify check basket deed label",
        "reliability": "ridge average dimension bandwidth picked light target verify time steps minibatch runs scale",
        "information": "ask ridge time show every only against picked basket image labels-by labels-at drop-retrained drop-shuffle "
        "believe-removals sources-part groups-other-count groups-epsilon toy-seed",
    }
    for page, names in kept.items():
        assert set(names.split()) <= set(ADDRESSES[page].view_fields), page
    both = {
        "dataset",
        "own",
        "classes",
        "n",
        "seed",
        "noise",
        "model",
        "depth",
        "rate",
        "batch",
        "momentum",
        "decay",
        "shuffle",
        "start",
        "dtype",
    }
    for page in kept:
        assert both <= set(ADDRESSES[page].fields), page


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["study", "detection", "--labels-seeds", "3"], "detection"),
        (["study", "agreement"], "agreement"),
        (["reliability", "--network", "--runs", "4"], "network-ihvp"),
        (["influence", "--ridge", "1"], "influence"),
        (["verify", "--widths", "512,1024"], None),
    ],
)
def test_a_command_of_before_says_its_name_of_now_and_goes_on(words, name, capsys):
    options = _parser().parse_args(_renamed(words))
    assert getattr(options, "name", None) == name
    assert (f"called `{name}` now" in capsys.readouterr().err) == (words[0] in ("study",) or "--network" in words)


def test_lines_of_a_notebook_of_before_are_there():
    from ntkcore import notebook

    for name in (
        *("learnability", "ranking", "convergence", "comparison_table", "influence", "influences", "reliability", "error_rates"),
        *("on_network", "network_errors", "information", "information_table", "study", "verifications", "removals"),
    ):
        assert callable(getattr(notebook, name)) and getattr(notebook, name).__doc__
