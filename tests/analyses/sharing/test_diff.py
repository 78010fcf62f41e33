"""What differs between two looks: choices, answers, and ranks, which pandas and SciPy are asked for by themselves."""

import pytest
from caches import begun
from recording import Recording
from scipy.stats import rankdata, spearmanr
from small_analyses import SMALL

from ntkcore.analyses import catalogue
from ntkcore.analyses.sharing.diff import SCORES, differ, side
from ntkcore.analyses.workspace import Workspace
from ntkcore.cli import main
from ntkcore.permalink import ADDRESSES
from ntkcore.settings import settings

PAIR = SMALL["influence"]


@pytest.fixture(scope="module")
def ws(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NTK_CACHE_DIR", str(begun(tmp_path_factory.mktemp("diff") / "cache")))
        patch.setenv("NTK_START_WORKER", "0")
        settings.cache_clear()
        yield Workspace(settings())
    settings.cache_clear()


def made(ws, name, **changes):
    spec, view = ADDRESSES[name].read(SMALL[name] | changes)
    catalogue.named(name).compute(spec, ws, Recording())
    return side(name, spec, view, ws)


def test_choices_answers_and_ranks_differ_as_they_do(ws):
    one, two = made(ws, "information", ridge="0.01"), made(ws, "information", ridge="10.0")
    found = differ(one, two, ws)
    assert [(change.name, change.before, change.after) for change in found.changes] == [("ridge", 0.01, 10.0)]
    assert found.answers[0] != found.answers[1] and not found.why
    tables = [
        catalogue.named("information")
        .table(catalogue.named("information").open(each.spec, ws), each.view, ws)
        .set_index("id")["information"]
        for each in (one, two)
    ]
    second = tables[1].loc[tables[0].index]
    assert found.agreement.rho == pytest.approx(spearmanr(tables[0], second).statistic, abs=1e-12)
    ranks = [dict(zip(tables[0].index, rankdata(-values), strict=True)) for values in (tables[0], second)]
    for row in found.moved.itertuples():
        assert row.moved == ranks[0][row.id] - ranks[1][row.id] and row.rank_a == ranks[0][row.id]
    assert list(found.moved["moved"]) == sorted(found.moved["moved"], reverse=True)


def test_other_draws_meet_in_the_images_that_both_have(ws):
    found = differ(made(ws, "influence"), made(ws, "influence", n="60", seed="1"), ws)
    both = [set(each) for each in (ids(ws, "influence"), ids(ws, "influence", n="60", seed="1"))]
    assert set(found.moved["id"]) == both[0] & both[1] and found.agreement.n == len(found.moved)
    assert not found.compare  # which is of the same images


def ids(ws, name, **changes):
    each = made(ws, name, **changes)
    return catalogue.named(name).table(catalogue.named(name).open(each.spec, ws), each.view, ws)["id"]


def test_two_kernels_on_the_same_images_lead_to_the_page_that_compares_them(ws):
    network = {"kernel": "pseudo", "model": "fcn", "width": "8", "depth": "1"}
    one, two = made(ws, "influence"), made(ws, "influence", **network)
    found = differ(one, two, ws)
    spec, _ = ADDRESSES["compare"].read(dict(query(found.compare)))
    assert spec.one == one.spec and spec.two == two.spec


def query(link):
    from urllib.parse import parse_qs

    from ntkcore.permalink import LIST_FIELDS

    return {name: values if name in LIST_FIELDS else values[0] for name, values in parse_qs(link.partition("?")[2]).items()}


def test_what_ranks_no_images_alike_is_said(ws):
    found = differ(made(ws, "influence"), made(ws, "information"), ws)
    assert found.moved is None and found.agreement is None and "same number" in found.why and found.changes == ()


def test_every_score_is_a_column(ws):
    for name, column in SCORES.items():
        each, analysis = made(ws, name), catalogue.named(name)
        assert {column, "id", "image", "label"} <= set(
            analysis.table(analysis.open(analysis.asked(each.spec, each.view, ws), ws), each.view, ws)
        )


def test_the_command_tells_it(ws, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ntkcore.analyses.workspace.workspace", lambda: ws)
    links = [f"/information?dataset=digits&classes=3&classes=8&n=30&test=12&ridge={ridge}" for ridge in ("0.01", "10.0")]
    assert main(["diff", *links, "--csv", str(tmp_path / "moved.csv")]) == 0
    said = capsys.readouterr().out
    assert "λ 0.01 → 10" in said and "Spearman's ρ" in said and "Moved up most in B" in said and "/compare?" in said
    assert len((tmp_path / "moved.csv").read_text().splitlines()) == 31
