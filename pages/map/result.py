"""A map: the images on a plane of the kernel, tied to a gallery beside it."""

import html

import streamlit as st

from ntkcore.analyses.map import drawn as drawing
from ntkcore.analyses.map import views
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.map.explain import explainer
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures import map as figures
from ntkcore.specs.map import MapView
from pages.map.choice import CHART, LINK, brushed, inspect
from pages.map.controls import show_drawing
from pages.map.gallery import TICKS, show_gallery
from pages.map.inspector import inspect_image
from pages.map.pictures import pictures
from pages.shared import frame, media, words
from pages.shared.charts import chart
from pages.shared.explain import explain
from pages.shared.ticks import Ticks

_SELECTED = Ticks("map_selected")  # what was selected when the choice last came from elsewhere: a lasso must not draw the map anew


def show_result(result: MapResult) -> None:
    """The whole map."""
    TICKS.forget()
    _SELECTED.forget()
    _about(result)
    _explore(result)
    explain(explainer(result))


def _about(result: MapResult) -> None:
    facts = [
        f"{len(result.labels):,} training {media.what(result.pack)}, {result.spec.test:,} held out",
        f"computed {words.when(result.created)} on {html.escape(words.place(result.device))} in {words.duration(result.seconds)}",
    ]
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.html(f'<p class="atlas-quiet">{" · ".join(facts)}&ensp;</p>', width="content")
        frame.remarks(result.warnings)


@st.fragment(key="map")
@frame.telling
def _explore(result: MapResult) -> None:
    choice = LINK.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(words.plain(problem), icon=":material/warning:")
    ws = workspace()
    look = views.Look.of(result, view, ws)
    first, apart, drawn = MAP.answer(result, view, ws)
    st.html(f'<p class="atlas-fact">{words.as_html(first)} {words.as_html(apart)}</p><p class="atlas-quiet">{words.as_html(drawn)}</p>')
    show_drawing(look, view)
    inspect_image(look, view)  # before what is below the fold: a link's inspector does not wait for it
    left, right = st.columns([5, 3], gap="large")
    with left:
        _map(look, view, _SELECTED.began((result.key, choice.revision, _drawing(view)), view.picked))
    with right:
        show_gallery(look, choice)


def _drawing(view: MapView) -> MapView:
    """What of a view draws the map anew."""
    return view.model_copy(update={"picked": (), "basket": (), "image": None, "like": None, "order": ""})


def _map(look: views.Look, view: MapView, selected: tuple[int, ...]) -> None:
    result = look.result
    try:
        with st.spinner("The numbers of every image …", show_time=False):
            drawn = drawing.drawn(look, view)
    except AtlasError as error:
        frame.show_notice(error)
        drawn = drawing.drawn(look, view.model_copy(update={"colour": "class", "sized": "", "filters": (), "among": ()}))
    chart(
        "How the network sees them",
        figures.map_figure(drawn, [image for image in selected if image < len(result.labels)], frame.mode()),
        key=CHART,
        table=lambda: views.table(result, view, look.ws),
        note="Lasso or box: those in the gallery. Click: one closely. Zoom in until points become images; a double click zooms out.",
        on_select=brushed,
        selection_mode=("lasso", "box"),
    )
    held = drawing.held_out(look) if view.held else None
    pictures(CHART, result.pack, inspect, aside=None if held is None else held.pack, marked=views.alike_shown(result, view)[: views.RINGED])
