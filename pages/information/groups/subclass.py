"""Is a sub-class under-sampled? Two classes made one, the one with few images (Unique-info Fig. 9)."""

import html

import numpy as np
import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.groups import views
from ntkcore.analyses.information.groups.subclass import SUBCLASS, images, roles, rows_of
from ntkcore.analyses.study import Parts
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information import groups as figures
from ntkcore.specs.groups import SubclassSpec
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK
from pages.information.groups import parts as parts_of
from pages.shared import choice as links
from pages.shared import frame, tables, words
from pages.shared.charts import chart, clicked
from pages.shared.fields import Fields
from pages.shared.standing import Offer, made, standing

_VIEW = Fields("information.subclass")
_COUNTS = (5, 10, 25, 50, 100, 200, 250, 500, 1000, 2000, 4000)


def show(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    """The controls, and the study: its answer, its job, or what it would take."""
    try:
        _controls(result, view, choice)
        spec = SUBCLASS.asked(result.spec, view)
        repeats = f", {spec.repeats} times with other images" if spec.repeats > 1 else ""
        said = (
            f"{words.plain(spec.rare)} and {words.plain(spec.common)} made one class against {words.plain(spec.other)}, at "
            f"{len(spec.counts)} counts of {words.plain(spec.rare)}{repeats}"
        )
        found = standing(SUBCLASS, spec, offer=Offer(button="Study the sub-class", said=said, primary=True))
    except AtlasError as error:
        st.info(f"{words.plain(error.message)} {words.plain(error.remedy)}", icon=":material/info:")
        return
    if found is not None:
        _show(found, view, choice)


def _controls(result: InfluenceResult, view: InformationView, choice: links.Choice) -> None:
    chosen = dict(zip(("rare", "common", "other"), roles(result.class_names, view), strict=True))
    names = list(dict.fromkeys([*result.class_names, *chosen.values()]))
    _VIEW.seed(
        (result.key, choice.revision),
        view.groups.model_dump() | chosen | {"counts": list(view.groups.counts), "show": view.show, "count": view.groups.count},
    )
    if any(_VIEW[name] != value for name, value in chosen.items()):
        _VIEW.change(**chosen)  # one of them left to the study follows from the others
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        for label, name in (("Rare sub-class", "rare"), ("Common sub-class", "common"), ("Other class", "other")):
            st.selectbox(label, names, **_VIEW.index(name, names), on_change=_changed, args=(name,), width=140)
        parts_of.number(_VIEW, "Images of the common", "common_count", 2, 10_000, _changed, width=150)
        parts_of.number(_VIEW, "Images of the other", "other_count", 2, 10_000, _changed, width=150)
        with st.popover("More", icon=":material/tune:"):
            counts = sorted({*_COUNTS, *_VIEW["counts"]})
            st.multiselect("Counts of the rare one", counts, **_VIEW.default("counts"), on_change=_changed, args=("counts",))
            parts_of.number(_VIEW, "Held-out images", "test", 3, 10_000, _changed)
            st.segmented_control(
                "Held-out images are",
                ["as-trained", "equal"],
                format_func={"as-trained": "in the shares trained on", "equal": "a third of each"}.__getitem__,
                required=True,
                **_VIEW.default("held"),
                on_change=_changed,
                args=("held",),
                help="F-SI is a mean over them: with few rare ones held out, what is known of them counts for little.",
            )
            parts_of.number(_VIEW, "Repeats", "repeats", 1, 20, _changed)


def _changed(name: str) -> None:
    value = _VIEW[name]
    if name == "counts":
        value = tuple(sorted(value))
        if not value:
            return
    held = LINK.current().view.groups
    LINK.look(groups=type(held).model_validate(held.model_dump() | {name: value}))


def _show(found: Parts[SubclassSpec], view: InformationView, choice: links.Choice) -> None:
    ws, spec = workspace(), found.spec
    part, count = min(view.groups.part, spec.repeats - 1), view.groups.count
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
        st.selectbox(
            "Images of the rare sub-class",
            list(spec.counts),
            format_func=lambda number: f"{number:,} of {spec.rare}",
            **_VIEW.index("count", list(spec.counts)),
            label_visibility="collapsed",
            on_change=_changed,
            args=("count",),
            width=170,
        )
        parts_of.order_shown(_VIEW)
        parts_of.repeat_shown(_VIEW, spec.repeats, _changed)
        st.download_button(
            "All scores (CSV)",
            lambda: views.subclass_scores_table(found, ws).to_csv(index=False),
            "subclass.csv",
            "text/csv",
            icon=":material/download:",
            type="tertiary",
            key="subclass_csv",
            on_click="ignore",
        )
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
        _VIEW.change(count=count)
        held = LINK.current().view.groups
        LINK.look(groups=held.model_copy(update={"count": count}))


def _answer(found: Parts[SubclassSpec], count: int) -> None:
    spec = found.spec
    rare, common = html.escape(spec.rare), html.escape(spec.common)
    times = views.times_as_much(views.pooled_kind(found, count, 0), views.pooled_kind(found, count, 1))
    if times is None:
        text = f"No image of {common} tells anything of its own at this time: nothing has been learned yet."
    else:
        how = "more" if times.low > 1 else "less" if times.high < 1 else "about as much"
        said = f"{words.number(times.value, 2)} times (95 % interval {words.number(times.low)} to {words.number(times.high)})"
        text = {
            "more": f"<b>Yes:</b> with {count:,} images of {rare} among {spec.common_count:,} of {common}, one of {rare} carries "
            f"<b>{said}</b> as much unique information as one of {common}.",
            "less": f"<b>Not by this score:</b> with {count:,} images of {rare} among {spec.common_count:,} of {common}, one of {rare} "
            f"carries only <b>{said}</b> as much unique information as one of {common}.",
            "about as much": f"<b>It cannot be told:</b> with {count:,} images of {rare} among {spec.common_count:,} of {common}, one of "
            f"{rare} carries {said} as much unique information as one of {common}.",
        }[how]
    areas = [views.rare_found(found, repeat, count).auc for repeat in range(spec.repeats)]
    mean = float(np.mean([area.value for area in areas]))
    more = (
        f"F-SI ranks an image of {rare} above one of {common} in {100 * mean:.0f} % of all pairs (50 % by chance; repeats "
        f"{', '.join(f'{area.value:.2f}' for area in areas)}); the network’s labels call both {rare} or {common}."
    )
    tables.fact(text, more, views.PAPER["subclass"])
