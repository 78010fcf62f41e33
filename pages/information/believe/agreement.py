"""What other networks, other initialisations and other training times say of the same images (Unique-info A.4, Figs. 5, 6)."""

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.believe import networks, views
from ntkcore.analyses.information.believe.agreement import AGREEMENT, SEEDS
from ntkcore.analyses.information.believe.answer import over_training
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import ModelError, SpecError
from ntkcore.figures.information.believe import correlation_figure
from ntkcore.specs import TITLES
from ntkcore.specs.believe import NETWORK_NAMES, AgreementStudySpec
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK
from pages.shared import frame, tables, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.standing import Offer, made, standing
from pages.shared.strip import pictures

CONTROLS = Controls("information.believe", LINK, within="believe")
"""The widgets of the whole question."""


def show_networks(result: InfluenceResult, view: InformationView) -> None:
    """The study of networks and initialisations, its job, or what it would take."""
    _controls()
    try:
        spec = AGREEMENT.asked(result.spec, view, workspace())
        names = networks.networks(spec)
        fewer = words.fewer(spec.seeds, SEEDS[0] if view.believe.seeds is None else None)
        pieces = standing(
            AGREEMENT,
            spec,
            offer=Offer(
                button=f"Compare {AGREEMENT.pieces(spec)} networks",
                said=f"The scores of {len(names)} network{'' if len(names) == 1 else 's'} from {spec.seeds} "
                f"initialisation{'' if spec.seeds == 1 else 's'} each{fewer}, on the same images",
                primary=True,
            ),
        )
    except (SpecError, ModelError) as error:
        st.caption(words.plain(f"{error.message} {error.remedy}"))
        return
    if pieces is None:
        return
    tables.fact(words.as_html(" ".join(AGREEMENT.answer(pieces, view, workspace()))))
    note = (
        "Mean and deviation over pairs of initialisations; on the diagonal one network from different initialisations. In the paper "
        "ResNet-50 and DenseNet-121 agree with Pearson 0.45, fresh heads of one ResNet-18 with 0.36."
    )
    kinds = (("Agreement of the scores", "Pearson", "networks", note), ("Agreement of the ranks", "Spearman", "ranks", ""))
    for place, (title, what, key, below) in zip(st.columns(2, gap="large"), kinds, strict=True):
        mean, deviation = networks.between_networks(pieces, ranks=what == "Spearman")
        with place:
            chart(
                title,
                correlation_figure(mean, names, frame.mode(), deviations=deviation, what=what),
                key=f"believe_{key}",
                table=lambda: networks.table(pieces),
                note=below,
            )
    _top(result, pieces)
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        made(pieces.created, pieces.device, pieces.seconds)
        csv_download("All scores (CSV)", lambda: networks.score_table(pieces), file="networks", key="agreement_csv")


def _controls() -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        CONTROLS.control(
            "others",
            st.multiselect,
            "Compared with",
            options=NETWORK_NAMES,
            format_func=_named,
            placeholder="no other network",
            width=520,
            help="In their default width, on the same images, at the page’s λ and τ.",
        )
        CONTROLS.control("seeds", st.number_input, "Initialisations of each", 1, 10, step=1, width=170)


def _named(name: str) -> str:
    base, _, rest = name.partition("-")
    return f"{TITLES[base]}{f', {rest} hidden' if rest.isdigit() else f', {rest}' if rest else ''}"


def _top(result: InfluenceResult, pieces: Pieces[AgreementStudySpec]) -> None:
    """The most informative images of each network, a strip each."""
    st.subheader(f"The {networks.TOP} most informative", anchor=False)
    shared = networks.shared_top(pieces)
    columns = st.columns(2, gap="large")
    for place, (name, images) in enumerate(zip(networks.networks(pieces.spec), networks.top_images(pieces), strict=True)):
        same = "" if place == 0 else f": {shared[0, place]} of {len(images)} as the first"
        labels = [f"image {i}, {result.class_names[result.labels[i]]}" for i in images]
        with columns[place % 2]:
            pictures(result.pack, [int(i) for i in images], titles=labels, head=f"{name}{same}")


def show_times(look: Look) -> None:
    """The scores at every training time beside those at every other; needs no job."""
    with st.spinner("Scores over training time …", show_time=False):
        times, values = views.over_times(look)
    tables.fact(words.as_html(over_training(times, values)))
    names = [f"τ = {words.number(time, 2)}" if look.descent is None else f"{time:,.0f} steps" for time in times]
    chart(
        "Agreement over training time",
        correlation_figure(values, names, frame.mode()),
        key="believe_times",
        table=lambda: views.time_table(look),
        note=f"Pearson’s r of F-SI over all {len(look.result.labels):,} training images at each time with each other, "
        f"λ = {words.number(look.ridge)} (Unique-info Fig. 5b).",
    )
