"""Which source is worth more? Two or more sets of images of one task, put together (Unique-info Fig. 2a)."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.groups import views
from ntkcore.analyses.information.groups.sources import DROPPED, SOURCES, images, offered
from ntkcore.analyses.study import Parts
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information import groups as figures
from ntkcore.specs.groups import SOURCES_MOST, SourceSpec, SourcesSpec, SourcesView
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK
from pages.information.groups import parts as parts_of
from pages.shared import choice as links
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.standing import Offer, made, standing

_VIEW = Fields("information.sources")


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """The controls, and the study: its answer, its job, or what it would take."""
    _controls(result, view, choice)
    try:
        spec = SOURCES.asked(result.spec, view)
        count = len(spec.sources)
        repeats = f", {spec.repeats} times with other images" if spec.repeats > 1 else ""
        said = f"{spec.n:,} training images of each of {count} sources together, and each source alone{repeats}"
        found = standing(SOURCES, spec, offer=Offer(button="Compare the sources", said=said, primary=True))
    except AtlasError as error:
        st.info(f"{words.plain(error.message)} {words.plain(error.remedy)}", icon=":material/info:")
        return
    if found is not None:
        _show(found, view, choice)


def _controls(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    ws, chosen, dataset = workspace(), view.sources, result.spec.dataset
    titles = offered(SourceSpec(name=dataset.name, own=dataset.own), ws)
    options = [*titles, *(token for token in chosen.others if token not in titles)]
    _VIEW.seed((result.key, choice.revision), chosen.model_dump() | {"others": list(chosen.others), "show": view.show, "part": chosen.part})
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.multiselect(
            "Beside this page’s images",
            options,
            format_func=lambda token: titles.get(token, token[:16]),
            **_VIEW.default("others"),
            max_selections=SOURCES_MOST - 1,
            placeholder="another source of the same classes",
            on_change=_changed,
            args=("others",),
            help="Image sets of the same size and the same classes. Bring others under “Images”, with a side of your choice.",
        )
        for label, name, low, high in (
            ("Images of each", "n", 4, 5_000),
            ("Held out of each", "test", 2, 2_500),
            ("Repeats", "repeats", 1, 20),
        ):
            parts_of.number(_VIEW, label, name, low, high, _changed)


def _changed(name: str) -> None:
    value = tuple(_VIEW[name]) if name == "others" else _VIEW[name]
    held = LINK.current().view.sources
    LINK.look(sources=SourcesView.model_validate(held.model_dump() | {name: value}))


def _show(found: Parts[SourcesSpec], view: InformationView, choice: links.Choice) -> None:
    ws, spec = workspace(), found.spec
    part = min(view.sources.part, spec.repeats - 1)
    scores = views.source_scores(found, part, ws)
    _answer(found, scores)
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
        parts_of.order_shown(_VIEW)
        parts_of.repeat_shown(_VIEW, spec.repeats, _changed)
        st.download_button(
            "All scores (CSV)",
            lambda: views.source_table(found, ws).to_csv(index=False),
            "sources.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="sources_csv",
            on_click="ignore",
        )
    shown = images(spec, part, ws)
    members = [np.flatnonzero(shown.group == place) for place in range(len(scores.names))]
    parts_of.galleries(shown, members, scores, view.show, choice, "sources_gallery")
    made(found.created, found.device, found.seconds)


def _left(one: views.Redundancy) -> str:
    return "–" if one.left is None else f"{100 * one.left.value:.0f} %"


def _answer(found: Parts[SourcesSpec], scores: views.GroupScores) -> None:
    order = np.argsort([-mean.value for mean in scores.means], kind="stable")
    first, last = int(order[0]), int(order[-1])
    times = views.times_as_much(views.pooled(found, first), views.pooled(found, last))
    more, less = html.escape(scores.names[first]), html.escape(scores.names[last])
    if times is None:
        text = "No source’s images tell anything of their own at this time: nothing has been learned yet."
    elif times.low <= 1:
        text = f"The images of {more} and {less} carry about as much unique information each: {parts_of.estimate(times, 2)} times as much."
    else:
        text = (
            f"An image of {more} carries <b>{words.number(times.value, 2)} times</b> as much unique information as one of {less} "
            f"(95 % interval {words.number(times.low)} to {words.number(times.high)})."
        )
    tables.fact(text, views.PAPER["sources"])
    accuracy = found["accuracy"].mean(0)
    rows = [
        (name, parts_of.estimate(mean), parts_of.percent(float(share)), parts_of.percent(float(accuracy[place, 0, 0, place])))
        for place, (name, mean, share) in enumerate(zip(scores.names, scores.means, views.shares(found), strict=True))
    ]
    tables.columns_table(("", "Mean F-SI of an image, nats", "Share of all information", "Accuracy on its held-out images"), rows)


def _dropped(found: Parts[SourcesSpec], scores: views.GroupScores) -> None:
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
                note=f"Solid: the least informative first; dots: at random. Of all held-out images {parts_of.percent(whole)} are right; "
                f"without the less informative half {parts_of.percent(few)}, without a random half {parts_of.percent(random)}, without all "
                f"of them {parts_of.percent(none)}. All images of the other sources stay; mean over the repeats.",
            )
