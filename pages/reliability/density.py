"""Density against error rate: how they go together, how that depends on the estimate, and the images that are brushed (Fig. 3)."""

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.reliability.numbers import Numbers
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.reliability import errors as figures
from ntkcore.specs.reliability import ReliabilityView
from pages.reliability.choice import LINK
from pages.shared import frame, media, words
from pages.shared.brushes import filter_rows, filter_switch
from pages.shared.charts import chart, forget_selection, selected
from pages.shared.controls import Controls
from pages.shared.gallery import Card, gallery
from pages.shared.narrowed import narrowed, order_menu
from pages.shared.tagging import tagging

_VIEW, _ORDER = Controls("reliability.density", LINK), Controls("reliability.order", LINK)
_AVERAGES = ("mean", "median")


def show_density(look: Look, view: ReliabilityView, place: DeltaGenerator) -> None:
    """The scatter in ``place``; below it, across the page, the correlation's dependence and the images."""
    result, now = look.result, views.summary(look)
    rate = now.rates[view.average]
    picked = [image for image in view.picked if image < len(rate)]
    with place:
        with st.spinner("Estimating densities …", show_time=False):
            density = views.density(look, view.dimension, view.bandwidth, len(result.labels))
        both = views.associate(density.log_density, rate)
        _VIEW.seed(result.key, "average", "dimension", "bandwidth")
        chart(
            "Error rate against density",
            figures.density_figure(density.log_density, rate, result.labels, result.class_names, picked, frame.mode()),
            key="density",
            table=lambda: with_texts(tables.image_table(result, now, density.log_density), result.pack, workspace()),
            note=_said(both),
            controls=_controls,
            on_select=_brushed,
            selection_mode=("lasso", "box", "points"),
        )
    left, right = st.columns(2, gap="large")
    with left:
        rows = views.dependence(look, view.average)
        few = f" First {views.TABLE_IMAGES:,} images." if len(rate) > views.TABLE_IMAGES else ""
        chart(
            "How the correlation depends on the estimate",
            figures.dependence_figure(rows, views.RULES, view.dimension, frame.mode()),
            key="dependence",
            table=lambda: rows,
            note=f"In few dimensions much of an image is not seen; in many, each image is its own only neighbour.{few}",
        )
    with right:
        _images(look, view, len(picked), lambda i: _card(result, i, float(rate[i]), float(density.log_density[i])))


def _said(both: views.Association) -> str:
    r, rho = both.pearson, both.spearman
    if not rho.defined:
        return f"No correlation here: {rho.reason}."
    left_out = f" {int((~both.used).sum())} images without a rate are left out." if not both.used.all() else ""
    sign = "The denser, the better" if rho.high < 0 else "The denser, the worse" if rho.low > 0 else "No clear relation"
    return (
        f"{sign}: Spearman’s ρ = <b>{words.signed(rho.rho)}</b> ({words.signed(rho.low)} to {words.signed(rho.high)}), Pearson’s r of the "
        f"logarithms = <b>{words.signed(r.r)}</b> ({words.signed(r.low)} to {words.signed(r.high)}); 95 % intervals, {r.n:,} training "
        f"images.{left_out} Lasso some to see them below."
    )


def _controls() -> None:
    dimensions, rules = sorted({*views.DIMENSIONS, LINK.current().view.dimension}), list(views.RULES)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _VIEW.control("dimension", st.selectbox, "Components", options=dimensions, width=130)
        _VIEW.control("bandwidth", st.selectbox, "Bandwidth", options=rules, format_func=views.RULES.__getitem__, width=130)
        _VIEW.control(
            "average",
            st.segmented_control,
            "Over held-out images",
            options=_AVERAGES,
            required=True,
            help="The mean is moved by single pairs whose influence is almost 0; the median is not.",
        )


def _brushed() -> None:
    points = selected("density").get("points") or []
    LINK.look(picked=tuple(sorted({int(p["customdata"]) for p in points if p.get("customdata") is not None})))


def _clear() -> None:
    forget_selection("density")
    LINK.look(picked=())


def _undo() -> None:
    forget_selection("density")
    LINK.undo()


def _images(look: Look, view: ReliabilityView, picked: int, card: Callable[[int], Card]) -> None:
    """The brushed images, or those of the largest error rate; of these within the filters, in any order."""
    numbers = Numbers(look, view)
    shown = views.unreliable(view, views.summary(look), *narrowed(numbers, view, view.by, len(look.result.labels)))
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        title = f"{picked:,} selected training image{'s' if picked > 1 else ''}" if picked else "Least reliable training images"
        st.subheader(words.spoken(title), anchor=False, width="content")
        if picked:
            st.button("Clear", key="clear_density", on_click=_clear, type="tertiary", icon=":material/close:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="unreliable_controls"):
        order_menu(_ORDER, look.result.key, numbers, view.by, "largest error rate first")
        filtering = filter_switch(LINK)
    filter_rows(LINK, filtering, numbers, lambda: forget_selection("density"))
    st.html('<p class="atlas-quiet">below each: its error rate, and its log density</p>')
    gallery(
        [card(int(image)) for image in shown],
        base=media.thumbnail_base(look.result.pack),
        key="unreliable_gallery",
        revision=LINK.current().revision,
        tags=tagging(look.result.spec.dataset, look.result.pack, view.picked),
        undo=_undo,
        empty="No image is so here. Widen the filters, or clear the selection.",
        height=330,
        cell=92,
    )


def _card(result: InfluenceResult, image: int, rate: float, log_density: float) -> Card:
    name = result.class_names[result.labels[image]]
    which = f"Training {media.noun(result.pack)} {image}, {result.ids[image]}"
    title = f"{which}: {name}, error rate {words.percent(rate)}, log density {words.fixed(log_density, 3)}."
    return Card(image, name, "", words.percent(rate), words.number(log_density), False, title)
