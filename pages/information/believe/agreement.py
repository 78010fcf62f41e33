"""What other networks, other initialisations and other training times say of the same images (Unique-info A.4, Figs. 5, 6)."""

import html
from collections.abc import Callable

import streamlit as st

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.believe import agreement as study
from ntkcore.analyses.information.believe import views
from ntkcore.analyses.study import Parts
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import ModelError, SpecError
from ntkcore.figures.information.believe import correlation_figure
from ntkcore.specs import TITLES
from ntkcore.specs.believe import NETWORK_NAMES, AgreementStudySpec
from ntkcore.specs.information import InformationView
from pages.shared import frame, words
from pages.shared.charts import chart
from pages.shared.fields import Fields
from pages.shared.standing import Offer, made, standing
from pages.shared.strip import pictures


def show_networks(result: InfluenceResult, view: InformationView, fields: Fields, changed: Callable[[str], None]) -> None:
    """The study of networks and initialisations, its job, or what it would take."""
    _controls(fields, changed)
    try:
        spec = study.asked(result.spec, view)
        count = len(spec.variants)
        parts = standing(
            study.AGREEMENT,
            spec,
            offer=Offer(
                button=f"Compare {count} networks",
                said=f"The scores of {len(study.networks(spec))} network{'' if len(study.networks(spec)) == 1 else 's'} from {spec.seeds} "
                f"initialisation{'' if spec.seeds == 1 else 's'} each, on the same images",
                primary=True,
            ),
        )
    except (SpecError, ModelError) as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    if parts is None:
        return
    st.html(f'<p class="atlas-fact">{html.escape(views.agreement_said(parts))}</p>')
    note = (
        "Mean and deviation over pairs of initialisations; on the diagonal one network from different initialisations. In the paper "
        "ResNet-50 and DenseNet-121 agree with Pearson 0.45, fresh heads of one ResNet-18 with 0.36."
    )
    kinds = (("Agreement of the scores", "Pearson", "networks", note), ("Agreement of the ranks", "Spearman", "ranks", ""))
    for place, (title, what, key, below) in zip(st.columns(2, gap="large"), kinds, strict=True):
        mean, deviation = study.between_networks(parts, ranks=what == "Spearman")
        with place:
            chart(
                title,
                correlation_figure(mean, study.networks(spec), frame.mode(), deviations=deviation, what=what),
                key=f"believe_{key}",
                table=lambda: study.table(parts),
                note=below,
            )
    _top(result, parts)
    made(parts.created, parts.device, parts.seconds)


def _controls(fields: Fields, changed: Callable[[str], None]) -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        st.multiselect(
            "Compared with",
            NETWORK_NAMES,
            format_func=_named,
            **fields.default("others"),
            placeholder="no other network",
            on_change=changed,
            args=("others",),
            width=520,
            help="In their default width, on the same images, at the page’s λ and τ.",
        )
        st.number_input("Initialisations of each", 1, 10, step=1, **fields.value("seeds"), on_change=changed, args=("seeds",), width=170)


def _named(name: str) -> str:
    base, _, rest = name.partition("-")
    return f"{TITLES[base]}{f', {rest} hidden' if rest.isdigit() else f', {rest}' if rest else ''}"


def _top(result: InfluenceResult, parts: Parts[AgreementStudySpec]) -> None:
    """The most informative images of each network, a strip each."""
    st.subheader(f"The {study.TOP} most informative", anchor=False)
    shared = study.shared_top(parts)
    columns = st.columns(2, gap="large")
    for place, (name, images) in enumerate(zip(study.networks(parts.spec), study.top_images(parts), strict=True)):
        same = "" if place == 0 else f": {shared[0, place]} of {len(images)} as the first"
        labels = [f"image {i}, {result.class_names[result.labels[i]]}" for i in images]
        with columns[place % 2]:
            pictures(result.pack, [int(i) for i in images], titles=labels, head=f"{name}{same}")


def show_times(result: InfluenceResult, view: InformationView) -> None:
    """The scores at every training time beside those at every other; needs no job."""
    with st.spinner("Scores over training time …", show_time=False):
        times, values = views.over_times(result, view.ridge, workspace())
    st.html(f'<p class="atlas-fact">{html.escape(views.times_said(times, values))}</p>')
    chart(
        "Agreement over training time",
        correlation_figure(values, [f"τ = {words.number(time, 2)}" for time in times], frame.mode()),
        key="believe_times",
        table=lambda: views.time_table(result, view.ridge, workspace()),
        note=f"Pearson’s r of F-SI over all {len(result.labels):,} training images at each time with each other, "
        f"λ = {words.number(view.ridge)} (Unique-info Fig. 5b).",
    )
