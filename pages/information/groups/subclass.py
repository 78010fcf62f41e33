"""Is a sub-class under-sampled? Two classes made one, the one with few images (Unique-info Fig. 9)."""

import html
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.groups import answer, views
from ntkcore.analyses.information.groups.subclass import KINDS, SUBCLASS, USUAL, count_of, images, roles, rows_of
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information import groups as figures
from ntkcore.specs.groups import SubclassSpec
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK, Chosen
from pages.information.groups import parts as parts_of
from pages.shared import frame, tables, words
from pages.shared.charts import chart, clicked
from pages.shared.controls import Controls
from pages.shared.standing import Offer, made, standing

_VIEW = Controls("information.subclass", LINK, within="groups")
_COUNTS = (5, 10, 25, 50, 100, 200, 250, 500, 1000, 2000, 4000)


def show(look: Look, choice: Chosen) -> None:
    """The controls, and the study: its answer, its job, or what it would take."""
    result, view = look.result, choice.view
    try:
        spec = SUBCLASS.asked(result.spec, view, workspace())
    except AtlasError as error:
        if len(result.class_names) >= len(KINDS):
            _controls(result, view, asdict(USUAL))
        frame.show_notice(error)
        return
    _controls(result, view, spec.model_dump(include=set(asdict(USUAL))) | {"count": count_of(spec, view)})
    try:
        repeats = parts_of.repeated(spec.repeats, view.groups.repeats)
        said = (
            f"{words.plain(spec.rare)} and {words.plain(spec.common)} made one class against {words.plain(spec.other)}, at "
            f"{len(spec.counts)} counts of {words.plain(spec.rare)}{repeats}"
        )
        found = standing(SUBCLASS, spec, offer=Offer(button="Study the sub-class", said=said, primary=True))
    except AtlasError as error:
        frame.show_notice(error)
        return
    if found is not None:
        _show(found, view, choice)


def _controls(result: InfluenceResult, view: InformationView, usual: Mapping[str, Any]) -> None:
    """The controls; what the view does not say begins with ``usual``."""
    chosen = dict(zip(("rare", "common", "other"), roles(result.class_names, view), strict=True))
    names = list(dict.fromkeys([*result.class_names, *chosen.values()]))
    groups = view.groups
    sizes = {name: value if getattr(groups, name) is None else getattr(groups, name) for name, value in usual.items()}
    about = parts_of.unsaid(result, groups, sizes)
    begin = sizes | {"counts": list(sizes["counts"]), "part": min(groups.part, sizes["repeats"] - 1)}
    _VIEW.seed(about, "held", **chosen, **begin)
    if any(_VIEW[name] != value for name, value in chosen.items()):
        _VIEW.fields.change(**chosen)  # one of them left to the study follows from the others
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for label, name in (("Rare sub-class", "rare"), ("Common sub-class", "common"), ("Other class", "other")):
            _VIEW.control(name, st.selectbox, label, options=names, width=140)
        parts_of.number(_VIEW, "Images of the common", "common_count", 2, 10_000, width=150)
        parts_of.number(_VIEW, "Images of the other", "other_count", 2, 10_000, width=150)
        with st.popover("More", icon=":material/tune:"):
            counts = sorted({*_COUNTS, *_VIEW["counts"]})
            _VIEW.control("counts", st.multiselect, "Counts of the rare one", options=counts, on_change=_counts_chosen, args=())
            parts_of.number(_VIEW, "Held-out images", "test", 3, 10_000)
            _VIEW.control(
                "held",
                st.segmented_control,
                "Held-out images are",
                options=["as-trained", "equal"],
                format_func={"as-trained": "in the shares trained on", "equal": "a third of each"}.__getitem__,
                required=True,
                help="F-SI is a mean over them: with few rare ones held out, what is known of them counts for little.",
            )
            parts_of.number(_VIEW, "Repeats", "repeats", 1, 20)


def _counts_chosen() -> None:
    """One is needed at least."""
    if counts := tuple(sorted(_VIEW["counts"])):
        _VIEW.set(counts=counts)


def _show(found: Pieces[SubclassSpec], view: InformationView, choice: Chosen) -> None:
    ws, spec = workspace(), found.spec
    part, count = min(view.groups.part, spec.repeats - 1), count_of(spec, view)
    _answer(found, count)
    scores, over = views.subclass_scores(found, part, count), views.sweep(found)
    left, right = st.columns(2, gap="large")
    with left:
        parts_of.histogram(
            scores,
            key="subclass_histogram",
            table=lambda: views.subclass_scores_table(found, ws),
            note=f"{count:,} images of {html.escape(spec.rare)}: each group’s bars are shares of its own images.",
        )
    with right:
        chart(
            f"The fewer images of {words.plain(spec.rare)}, the more each tells?",
            figures.sweep_figure(over, scores.names, count, frame.mode()),
            key="subclass_sweep",
            table=lambda: views.sweep_table(over),
            note="Mean over the images of all repeats, with 95 % intervals over images. Click a point to see that count.",
            on_select=lambda: _counted("subclass_sweep"),
            selection_mode="points",
        )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        _VIEW.control(
            "count",
            st.selectbox,
            "Images of the rare sub-class",
            options=list(spec.counts),
            format_func=lambda number: f"{number:,} of {spec.rare}",
            label_visibility="collapsed",
            width=170,
        )
        parts_of.order_shown(found.key)
        parts_of.repeat_shown(_VIEW, spec.repeats)
        parts_of.scores_button(lambda: views.subclass_scores_table(found, ws), "subclass")
    shown, rows = images(spec, part, ws), rows_of(spec, count)
    members = [rows[shown.group[rows] == place] for place in range(3)]
    parts_of.galleries(shown, members, scores, view.show, choice, "subclass_gallery")
    chart(
        "Are they found, and are they classified?",
        figures.found_figure(over, scores.names, count, frame.mode()),
        key="subclass_found",
        table=lambda: SUBCLASS.table(found),
        note=f"Area under the ROC curve of finding {html.escape(spec.rare)} among the images of its class by F-SI alone, 0.5 by chance; "
        "and the share of held-out images of each that the kernel classifies right.",
    )
    made(found.created, found.device, found.seconds)


def _counted(key: str) -> None:
    if (count := clicked(key)) is not None:
        _VIEW.fields.change(count=count)
        _VIEW.set(count=count)


def _answer(found: Pieces[SubclassSpec], count: int) -> None:
    said, times = answer.subclass(found, count), answer.rare_over_common(found, count)
    strong = [] if times is None else [said.partition(":")[0] + ":"]
    if times is not None and not times.low <= 1 <= times.high:
        strong.append(answer.how_many(times))
    tables.fact(words.as_html(said, *strong), html.escape(answer.rare_ones(found, count)), views.PAPER["subclass"])
