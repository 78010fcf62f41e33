"""How the map is drawn: plane, axes, what points are coloured by, what of it is not to be believed."""

import streamlit as st

from ntkcore.analyses.map import views
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.map.drawn import MANY, held_out
from ntkcore.analyses.numbers.known import NUMBERS
from ntkcore.analyses.numbers.stored import specs_of
from ntkcore.specs.map import MapView
from pages.map.choice import CHART, LINK
from pages.shared import words
from pages.shared.brushes import filter_rows, filter_switch
from pages.shared.charts import forget_selection
from pages.shared.choice import go_to
from pages.shared.controls import Controls

_VIEW = Controls("map.view", LINK)
_PLANES = {"kernel": "Kernel’s plane", "neighbours": "Neighbour embedding"}


def show_drawing(look: views.Look, view: MapView) -> None:
    """The controls, in one row."""
    result = look.result
    names = {"class": "class"} | look.titles | {name: column.title for name, column in look.words.items()}
    colour = view.colour if view.colour in names else "class"
    x, y = look.axes
    only = [name for name in view.only if name in result.class_names]
    sized = view.sized if view.sized in look.titles else ""
    _VIEW.seed(result.key, "plane", "kept", "held", "contours", "ridge", x=x, y=y, colour=colour, sized=sized, only=only)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="map_controls"):
        _VIEW.control(
            "plane",
            st.segmented_control,
            "Plane",
            options=list(_PLANES),
            format_func=_PLANES.__getitem__,
            required=True,
            label_visibility="collapsed",
        )
        with st.popover(f"Colour: {names[colour]}", icon=":material/palette:", key="map_colour"):
            _VIEW.control("colour", st.selectbox, "Points are coloured by", options=list(names), format_func=names.__getitem__)
            if any(name in NUMBERS and NUMBERS[name].regularised for name in names):
                _VIEW.control("ridge", st.number_input, "Regularisation λ of the numbers", 0.0, 1e6, format="%g")
            if len(names) <= 1 + len(views.OWN) + 1:
                st.caption(
                    words.spoken(
                        "Compute Influence, Information or Learnability of the same images and network: their numbers of each image are "
                        "then here, too."
                    )
                )
        with st.popover(_classes(only), icon=":material/filter_alt:", key="map_classes"):
            _VIEW.control("only", st.multiselect, "Classes shown", options=result.class_names, placeholder="all")
        if view.plane == "kernel":
            with st.popover(f"Axes {x}, {y}", key="map_axes"):
                axes = list(range(1, len(result.shares) + 1))
                shares = [f"{axis}: {100 * share:.2g} % of the trace" for axis, share in zip(axes, result.shares, strict=True)]
                for name, label in (("x", "To the right"), ("y", "Upwards")):
                    _VIEW.control(name, st.selectbox, label, options=axes, format_func=lambda axis: shares[axis - 1])
        _moments(look)
        _points(look)
        filtering = filter_switch(LINK)
    filter_rows(LINK, filtering, look, lambda: forget_selection(CHART))


def _points(look: views.Look) -> None:
    """What points are sized by, and what else is drawn."""
    sizes = {"": "all alike"} | look.titles
    with st.popover("Points", icon=":material/tune:", key="map_points"):
        _VIEW.control("sized", st.selectbox, "Points are sized by", options=list(sizes), format_func=sizes.__getitem__)
        none = held_out(look) is None
        _VIEW.control(
            "held",
            st.toggle,
            "Held-out images",
            disabled=none,
            help="This map was made by an earlier version. Compute Influence of the same images, and they can be shown."
            if none
            else "Open diamonds, laid on the plane of the training images.",
        )
        _VIEW.control("contours", st.toggle, "Lines of equal density", help=f"Of {MANY} images or more, until zoomed in.")
        _VIEW.control("kept", st.toggle, "Distortion", help="Draws a point the paler, the fewer of its true neighbours lie near it.")


def _moments(look: views.Look) -> None:
    """The other stored maps of the same network: before and in training."""
    found = views.moments(look.result, specs_of(MAP, look.result.spec.dataset, look.ws))
    if len(found) < 2:
        return
    now = next(epoch for epoch, spec in found.items() if spec == look.result.spec)
    names = {epoch: f"epoch {epoch}" if epoch else "start" for epoch in found}
    key = f"map_moment_{look.result.key[:12]}"
    shown = {"format_func": names.__getitem__, "label_visibility": "collapsed"}
    chosen = st.segmented_control("Moment", list(found), default=now, required=True, key=key, **shown)
    if chosen != now:
        go_to("map", found[chosen], LINK.current().view)


def _classes(only: list[str]) -> str:
    return ", ".join(only) if 0 < len(only) <= 3 else f"{len(only)} classes" if only else "All classes"
