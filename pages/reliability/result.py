"""A reliability result: how far IHVP is off at the chosen λ, over λ, by density, per held-out image, on a network and on clusters."""

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.reliability import tables, views
from ntkcore.analyses.reliability.analysis import RELIABILITY
from ntkcore.analyses.reliability.explain import explainer
from ntkcore.analyses.workspace import workspace
from ntkcore.figures.reliability import errors as figures
from ntkcore.figures.theme import raised
from ntkcore.specs.reliability import ReliabilityView
from pages.reliability.choice import LINK
from pages.reliability.clusters import show_clusters
from pages.reliability.density import show_density
from pages.reliability.network import show_network
from pages.reliability.trust import show_trust
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.explain import explain
from pages.shared.regression.about import show_about

_VIEW = Controls("reliability.view", LINK)
_RIDGES = (0.0, *(2.0**power for power in range(-14, 9)))


def show_result(result: InfluenceResult) -> None:
    """The whole result."""
    show_about(result)
    _explore(result)
    explain(explainer(result))


@st.fragment(key="reliability")
@frame.telling
def _explore(result: InfluenceResult) -> None:
    view = LINK.current().view
    frame.show_absent(views.missing_from(result, view))
    _VIEW.seed(result.key, "ridge")
    ridges = sorted({*_RIDGES, view.ridge})
    with st.container(key="stay_controls"):
        _VIEW.control("ridge", st.select_slider, "Regularisation λ", options=ridges, format_func=words.told_apart(ridges).__getitem__)
    look = Look.of(result, view.ridge, None, workspace())
    _answer(look, view)
    left, right = st.columns(2, gap="large")
    with left:
        _sweep(look)
    show_density(look, view, right)
    target = show_trust(look, view)
    show_network(result, view, target)
    show_clusters(view)


def _answer(look: Look, view: ReliabilityView) -> None:
    """How far off and where it can be trusted; what the theorem says, quieter."""
    now = views.summary(look)
    strong = words.percent(now.mean), words.percent(now.median), f"trust it on {views.counts(now)[0]:,}"
    rates, lights, *theorem = (words.as_html(sentence, *strong) for sentence in RELIABILITY.answer(look.result, view, look.ws))
    st.html(f'<p class="atlas-fact">{rates} {lights}</p><p class="atlas-quiet">{raised(" ".join(theorem))}</p>')


def _sweep(look: Look) -> None:
    with st.spinner("Sweeping λ …", show_time=False):
        over = views.sweep(look)
    few = "" if over.tests == len(look.result.test_labels) else f" Curves: the first {over.tests:,} held-out images; rings: all."
    chart(
        "Error rate over λ",
        figures.sweep_figure(over, views.summary(look), frame.mode()),
        key="sweep",
        table=lambda: tables.sweep_table(over),
        note=f"Over all pairs (Fig. 2). Bound: λ<sub>min</sub> / (λ<sub>min</sub> + λ). Grey line: the λ chosen.{few}",
    )
