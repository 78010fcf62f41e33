"""Is something adversarial? FGSM examples among the training images, found by their unique information (Unique-info Fig. 10)."""

import html

import streamlit as st

from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.groups import answer, scores
from ntkcore.analyses.information.groups import attacked as views
from ntkcore.analyses.information.groups.adversarial import ADVERSARIAL
from ntkcore.analyses.information.groups.kernel import OFTEN
from ntkcore.analyses.information.groups.views import PAPER
from ntkcore.analyses.study import Pieces
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.figures.information import groups as figures
from ntkcore.specs import ARCHITECTURES, default_rate, has_weights, title_of
from ntkcore.specs.groups import AdversarialSpec
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK, Chosen
from pages.information.groups import parts as parts_of
from pages.shared import frame, media, tables, words
from pages.shared.charts import chart
from pages.shared.controls import Controls
from pages.shared.network import named_networks
from pages.shared.standing import Offer, made, standing

_VIEW = Controls("information.adversarial", LINK, within="groups")
_SHOWN = 24


def show(look: Look, choice: Chosen) -> None:
    """The controls, and the study: its answer, its job, or what it would take."""
    result, view = look.result, choice.view
    try:
        spec = ADVERSARIAL.asked(result.spec, view, workspace())
    except AtlasError as error:
        _controls(result, view, view.groups.repeats or OFTEN)
        frame.show_notice(error)
        return
    _controls(result, view, spec.repeats)
    try:
        repeats = parts_of.repeated(spec.repeats, view.groups.repeats)
        kind = "pretrained " if spec.attacked.weights == "pretrained" else ""
        said = (
            f"A {kind}{title_of(spec.attacked.architecture)} trained for {spec.training.epochs} epochs and attacked, then this page’s "
            f"kernel on what results{repeats}"
        )
        found = standing(
            ADVERSARIAL,
            spec,
            offer=Offer(button="Attack and find them", said=said, primary=True),
        )
    except AtlasError as error:
        frame.show_notice(error)
        return
    if found is not None:
        _show(found, view)


def _controls(result: InfluenceResult, view: InformationView, repeats: int) -> None:
    own = result.spec.model.architecture if result.spec.model else "fcn"
    weights = result.spec.model.weights if result.spec.model else "random"
    held = view.groups
    network = held.network or own
    begun = held.weights or (weights if network == own else "random")
    _VIEW.seed(
        parts_of.unsaid(result, held, {"repeats": repeats}),
        *("epsilon", "epochs", "batch"),
        repeats=repeats,
        share=100 * held.share,
        network=network,
        weights=begun,
        rate=held.rate or default_rate(network),
        part=min(held.part, repeats - 1),
    )
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        parts_of.number(
            _VIEW, "ε", "epsilon", 0.001, 1.0, step=0.005, format="%.3f", help="How far each pixel moves, of 0 to 1.", width=110
        )
        parts_of.number(
            _VIEW, "Images attacked, %", "share", 0.1, 50.0, read=lambda percent: percent / 100, step=1.0, format="%g", width=150
        )
        _VIEW.control(
            "network",
            st.selectbox,
            "Network attacked",
            options=list(dict.fromkeys((*ARCHITECTURES, *named_networks(), own, network))),
            format_func=title_of,
            **_VIEW.fields.then("network", _other_network),
            width=190,
        )
        if has_weights(_VIEW["network"]):
            _VIEW.control("weights", st.segmented_control, "It starts from", options=["random", "pretrained"], required=True)
        parts_of.number(_VIEW, "Epochs", "epochs", 1, 2000, width=110)
        with st.popover("More", icon=":material/tune:"):
            parts_of.number(_VIEW, "Learning rate", "rate", 1e-6, 1000.0, step=0.01, format="%g")
            parts_of.number(_VIEW, "Images in a step", "batch", 0, 100_000, help="0: all of them.")
            parts_of.number(_VIEW, "Repeats", "repeats", 1, 20)


def _other_network() -> None:
    """Another network has its own learning rate and weights."""
    network = _VIEW["network"]
    _VIEW.fields.change(rate=default_rate(network), weights="random")
    _VIEW.set(network=network, weights="random", rate=None)


def _show(found: Pieces[AdversarialSpec], view: InformationView) -> None:
    ws, spec = workspace(), found.spec
    part = min(view.groups.part, spec.repeats - 1)
    _answer(found)
    detections = scores.detections(found, part)
    left, right = st.columns(2, gap="large")
    with left:
        parts_of.histogram(
            views.adversarial_scores(found, part),
            key="adversarial_histogram",
            table=lambda: views.adversarial_scores_table(found, ws),
            note="Each group’s bars are shares of its own images.",
        )
        rows = [
            (name, *(answer.estimate(getattr(one, metric)) for metric in ("auc", "average_precision", "precision")))
            for name, one in detections.items()
        ]
        tables.columns_table(("", "ROC-AUC", "Average precision", "Precision"), rows)
        count = next(iter(detections.values())).flipped
        st.html(
            words.spoken(
                f'<p class="atlas-quiet">Precision: share of adversarial images among the {count:,} highest scores; by chance '
                f"{words.share(count / spec.dataset.n)}, as the average precision. 95 % intervals.</p>"
            )
        )
    with right:
        chart(
            "Are they found?",
            figures.found_by_figure(dict(detections), frame.mode()),
            key="adversarial_roc",
            table=lambda: ADVERSARIAL.table(found),
            note="By the same score before the attack: what is found of them without any attack, perhaps because images near the border "
            "between the classes are both easier to attack and more informative.",
        )
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        parts_of.repeat_shown(_VIEW, spec.repeats)
        parts_of.scores_button(lambda: views.adversarial_scores_table(found, ws), "adversarial")
    _pairs(views.pairs(found, part, ws))
    made(found.created, found.device, found.seconds)


def _answer(found: Pieces[AdversarialSpec]) -> None:
    said, times = " ".join(answer.adversarial(found)), scores.attacked(found).ratio
    strong = () if times is None else (said.partition(":")[0] + ":", f"{answer.estimate(times)} times")
    tables.fact(words.as_html(said, *strong), html.escape(" ".join(answer.attacks(found))), PAPER["adversarial"])


def _pairs(pairs: views.Pairs) -> None:
    st.subheader(words.spoken("Adversarial images beside their originals"), anchor=False)
    count = min(_SHOWN, len(pairs.images))
    st.html(
        words.spoken(
            f'<p class="atlas-quiet">Original, adversarial image, and what was added (from −ε, black, to +ε, white); below each its '
            "label, its unique information in nats now and, in brackets, before, and its percentile P among all images. "
            f"The {count} most informative.</p>"
        )
    )
    base = media.thumbnail_base(pairs.pack)
    cells = "".join(
        f'<figure><img src="{base}{place}" alt="{html.escape(pairs.ids[place])}" title="{html.escape(pairs.ids[place])}">'
        f"<figcaption>{html.escape(pairs.labels[place])} · {words.number(float(pairs.scores[place]), 2)} "
        f"({words.number(float(pairs.clean[place]), 2)}) · P {pairs.percentile[place]:.0f}</figcaption></figure>"
        for place in range(count)
    )
    st.html(f'<div class="atlas-captions atlas-triples">{cells}</div>')
