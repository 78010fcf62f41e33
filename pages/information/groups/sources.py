"""Which source is worth more? Two or more sets of images of one task, put together (Unique-info Fig. 2a)."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.groups import answer, views
from ntkcore.analyses.information.groups.kernel import OFTEN
from ntkcore.analyses.information.groups.sources import DROPPED, SOURCES, USUAL, images, offered
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information import groups as figures
from ntkcore.specs.groups import SOURCES_MOST, SourceSpec, SourcesSpec
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK, Chosen
from pages.information.groups import parts as parts_of
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.standing import Offer, made, standing

_VIEW = Controls("information.sources", LINK, within="sources")


def show(look: Look, choice: Chosen) -> None:
    """The controls, and the study: its answer, its job, or what it would take."""
    result, view = look.result, choice.view
    try:
        spec = SOURCES.asked(result.spec, view, workspace())
    except AtlasError as error:
        chosen = view.sources
        _controls(result, view, chosen.n or USUAL.n, chosen.test or USUAL.test, chosen.repeats or OFTEN)
        frame.show_notice(error)
        return
    _controls(result, view, spec.n, spec.test, spec.repeats)
    try:
        count = len(spec.sources)
        repeats = parts_of.repeated(spec.repeats, view.sources.repeats)
        said = f"{spec.n:,} training images of each of {count} sources together, and each source alone{repeats}"
        found = standing(SOURCES, spec, offer=Offer(button="Compare the sources", said=said, primary=True))
    except AtlasError as error:
        frame.show_notice(error)
        return
    if found is not None:
        _show(found, view, choice)


def _controls(result: InfluenceResult, view: InformationView, n: int, test: int, repeats: int) -> None:
    ws, chosen, dataset = workspace(), view.sources, result.spec.dataset
    titles = offered(SourceSpec(name=dataset.name, own=dataset.own), ws)
    options = [*titles, *(token for token in chosen.others if token not in titles)]
    sizes = {"n": n, "test": test, "repeats": repeats}
    _VIEW.seed(parts_of.unsaid(result, chosen, sizes), others=list(chosen.others), part=min(chosen.part, repeats - 1), **sizes)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _VIEW.control(
            "others",
            st.multiselect,
            "Beside this page’s images",
            options=options,
            format_func=lambda token: titles.get(token, token[:16]),
            max_selections=SOURCES_MOST - 1,
            placeholder="another source of the same classes",
            help="Image sets of the same size and the same classes. Bring others under “Your data”, with a side of your choice.",
        )
        for label, name, low, high in (
            ("Images of each", "n", 4, 5_000),
            ("Held out of each", "test", 2, 2_500),
            ("Repeats", "repeats", 1, 20),
        ):
            parts_of.number(_VIEW, label, name, low, high)


def _show(found: Pieces[SourcesSpec], view: InformationView, choice: Chosen) -> None:
    ws, spec = workspace(), found.spec
    part = min(view.sources.part, spec.repeats - 1)
    scores = views.source_scores(found, part, ws)
    _answer(found, view, scores)
    left, right = st.columns(2, gap="large")
    with left:
        parts_of.histogram(
            scores,
            key="sources_histogram",
            table=lambda: views.source_table(found, ws),
            note="All sources in one training set; each source’s bars are shares of its own images.",
        )
    with right:
        again = views.redundancies(found)
        chart(
            "How much is told by the others already?",
            figures.redundancy_figure(again, scores.names, frame.mode()),
            key="sources_redundancy",
            table=lambda: SOURCES.table(found),
            note="Over the same held-out images of all sources. What an image tells alone and no longer beside the others is redundant: "
            + "; ".join(f"{html.escape(name)} keeps {_left(one)}" for name, one in zip(scores.names, again, strict=True))
            + ".",
        )
    _dropped(found, scores)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        parts_of.order_shown(found.key)
        parts_of.repeat_shown(_VIEW, spec.repeats)
        parts_of.scores_button(lambda: views.source_table(found, ws), "sources")
    shown = images(spec, part, ws)
    members = [np.flatnonzero(shown.group == place) for place in range(len(scores.names))]
    parts_of.galleries(shown, members, scores, view.show, choice, "sources_gallery")
    made(found.created, found.device, found.seconds)


def _left(one: views.Redundancy) -> str:
    return "–" if one.left is None else f"{100 * one.left.value:.0f} %"


def _answer(found: Pieces[SourcesSpec], view: InformationView, scores: views.GroupScores) -> None:
    _, _, times = answer.most_and_least(found)
    strong = () if times is None or times.low <= 1 else (f"{words.number(times.value, 2)} times",)
    tables.fact(words.as_html(" ".join(SOURCES.answer(found, view, workspace())), *strong), views.PAPER["sources"])
    accuracy = found["accuracy"].mean(0)
    rows = [
        (name, answer.estimate(mean), words.share(float(share)), words.share(float(accuracy[place, 0, 0, place])))
        for place, (name, mean, share) in enumerate(zip(scores.names, scores.means, views.shares(found), strict=True))
    ]
    tables.columns_table(("", "Mean F-SI of an image, nats", "Share of all information", "Accuracy on its held-out images"), rows)


def _dropped(found: Pieces[SourcesSpec], scores: views.GroupScores) -> None:
    st.header("What is lost without some of them?", anchor=False)
    curves, half = views.drop_curves(found), DROPPED.index(0.5)
    columns = st.columns(min(2, len(scores.names)), gap="large")
    for place, name in enumerate(scores.names):
        whole, few, random, none = (curves.mean[place, order, step, -1] for order, step in ((0, 0), (0, half), (1, half), (0, -1)))
        with columns[place % len(columns)]:
            chart(
                f"Without images of {words.plain(name)}",
                figures.drop_figure(curves, place, scores.names, frame.mode()),
                key=f"sources_drop_{place}",
                table=lambda: views.curve_table(found, scores.names),
                note=f"Solid: the least informative first; dots: at random. Of all held-out images {words.share(whole)} are right; "
                f"without the less informative half {words.share(few)}, without a random half {words.share(random)}, without all "
                f"of them {words.share(none)}. All images of the other sources stay; mean over the repeats.",
            )
