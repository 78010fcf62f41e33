"""A reliability result: how far IHVP is off at the chosen λ, over λ, by density, per held-out image, on a network and on clusters."""

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.reliability import errors as figures
from pages.reliability.choice import LINK
from pages.reliability.clusters import show_clusters
from pages.reliability.density import show_density
from pages.reliability.explain import explain_reliability
from pages.reliability.network import show_network
from pages.reliability.trust import show_trust
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.regression.about import show_about
from pages.shared.words import percent

_VIEW = Fields("reliability.view")
_RIDGES = (0.0, *(2.0**power for power in range(-14, 9)))


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    show_about(result)
    _explore(result)
    explain_reliability(result)


@st.fragment(key="reliability")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    ws, choice = workspace(), LINK.current()
    view = choice.view
    if problem := views.missing_from(result, view):
        st.warning(words.plain(problem), icon=":material/warning:")
    _VIEW.seed((result.key, choice.revision), {"ridge": view.ridge})
    ridges = sorted({*_RIDGES, view.ridge})
    with st.container(key="stay_controls"):
        st.select_slider(
            "Regularisation λ",
            ridges,
            format_func=words.told_apart(ridges).__getitem__,
            **_VIEW.value("ridge"),
            on_change=lambda: LINK.look(ridge=_VIEW["ridge"]),
        )
    found = views.summary(result, view.ridge, ws)
    _answer(found)
    left, right = st.columns(2, gap="large")
    with left:
        _sweep(result, found)
    show_density(result, view, found, right)
    show_trust(result, view, found, choice)
    show_network(result, view, views.target_of(view, found, views.lit(view, found)), choice)
    show_clusters(view, choice)


def _answer(found: views.Summary) -> None:
    """How far off, what the theorem says, and where it can be trusted."""
    trusted, careful, doubtful = views.counts(found)
    every = "All" if found.held == found.pairs else f"Only {found.held:,} of"
    left_out = f"; {found.zero:,} pairs with no influence at all are left out" if found.zero else ""
    st.html(
        f'<p class="atlas-fact">At λ = {words.number(found.ridge)}, IHVP misses the true influence by <b>{percent(found.mean)}</b> on '
        f"average over all pairs, and by <b>{percent(found.median)}</b> at the median. Of {trusted + careful + doubtful:,} held-out "
        f"images, trust it on <b>{trusted:,}</b>, with care on {careful:,}, and not on {doubtful:,}.</p>"
        f'<p class="atlas-quiet">Theorem 3’s lower bound of the error rate: {percent(found.bound)}, from λ<sub>min</sub> = '
        f"{words.number(found.least)}. {every} {found.pairs:,} pairs satisfy its exact inequality. "
        f"Pairs whose influence is almost 0 weigh on the mean{left_out}.</p>"
    )


def _sweep(result: InfluenceResult, found: views.Summary) -> None:
    with st.spinner("Sweeping λ …", show_time=False):
        over = views.sweep(result, workspace())
    few = "" if over.tests == len(result.test_labels) else f" Curves: the first {over.tests:,} held-out images; rings: all."
    chart(
        "Error rate over λ",
        figures.sweep_figure(over, found, frame.mode()),
        key="sweep",
        table=lambda: tables.sweep_table(over),
        note=f"Over all pairs (Fig. 2). Bound: λ<sub>min</sub> / (λ<sub>min</sub> + λ). Grey line: the λ chosen.{few}",
    )
