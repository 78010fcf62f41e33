"""The start: what this is, and the ways in."""

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.influence import analysis as influence
from ntkcore.analyses.learnability import analysis as learnability
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DatasetInfo, catalogue
from ntkcore.errors import AtlasError, DataMissing
from ntkcore.specs import InfluenceSpec, LearnabilitySpec
from pages.influence.choice import LINK as INFLUENCE_LINK
from pages.information.choice import LINK as INFORMATION_LINK
from pages.learnability.choice import LINK as LEARNABILITY_LINK
from pages.reliability.choice import LINK as RELIABILITY_LINK
from pages.shared import choice as links
from pages.shared import frame, missing, strip

S = TypeVar("S", LearnabilitySpec, InfluenceSpec)
_CARDS = (
    (
        "digits",
        "Handwritten digits",
        "1,000 small images, ten classes, a fully connected network. Seconds.",
        LearnabilitySpec(),
    ),
    (
        "mnist",
        "MNIST, 7 against 9",
        "1,000 images of the pair that is hardest to tell apart, a 4-conv CNN.",
        LearnabilitySpec.model_validate({"dataset": {"name": "mnist", "classes": ("7", "9")}, "model": {"architecture": "cnn4"}}),
    ),
    (
        "cifar10",
        "CIFAR-10, frog against airplane",
        "1,000 photographs and the 3-conv CNN, as in the learnability paper.",
        LearnabilitySpec.model_validate(
            {"dataset": {"name": "cifar10", "classes": ("frog", "airplane")}, "model": {"architecture": "cnn3"}}
        ),
    ),
)


def page() -> None:
    """Two sentences and the cards."""
    frame.heading(
        "NTK Atlas",
        "See which images a neural network learns easily, which are hard, and whether theory predicted it. "
        "Everything here is computed from one object, the network’s neural tangent kernel, on your images and on this machine.",
    )
    infos = {info.name: info for info in catalogue(workspace().settings)}
    for column, (name, title, text, spec) in zip(st.columns(3, gap="medium"), _CARDS, strict=True):
        with column:
            _card(infos[name], title, text, spec)
    for column, card in zip(
        st.columns(4, gap="medium"), (*(partial(_way, way, InfluenceSpec()) for way in _WAYS), _comparison), strict=True
    ):
        with column:
            card()
    st.page_link(
        "pages/data/page.py", label="Or bring your own: images (zip, Parquet, npz) or texts (CSV, Parquet)", icon=":material/upload:"
    )


def _comparison() -> None:
    with st.container(border=True, key="card_convergence", height="stretch"):
        st.subheader("How good is the cheap kernel?", anchor=False)
        st.markdown("The pseudo-NTK costs a small part of the full kernel. See over width and training how well it stands in for it.")
        if st.button("Compare", key="open_convergence", icon=":material/compare_arrows:"):
            st.switch_page("pages/convergence/page.py")


@dataclass(frozen=True, slots=True)
class _Way:
    """A card that leads to an analysis of the small digits: its words, its button, and its page."""

    name: str
    title: str
    text: str
    button: str
    icon: str
    link: links.Link[InfluenceSpec, Any]


_WAYS = (
    _Way(
        "influence",
        "Who taught it this?",
        "which of them helped or harmed a prediction, and when in training.",
        "Trace",
        "north_east",
        INFLUENCE_LINK,
    ),
    _Way(
        "information",
        "What does each image add?",
        "which of them tell the network something of their own, which are mislabelled, which can go.",
        "Weigh",
        "fingerprint",
        INFORMATION_LINK,
    ),
    _Way(
        "reliability",
        "Can influence be estimated?",
        "when the usual estimate (IHVP) fails, and for which predictions it holds.",
        "Judge",
        "rule",
        RELIABILITY_LINK,
    ),
)


def _way(way: _Way, spec: InfluenceSpec) -> None:
    with st.container(border=True, key=f"card_{way.name}", height="stretch"):
        st.subheader(way.title, anchor=False)
        st.markdown(f"{spec.dataset.n:,} handwritten digits, and {spec.test:,} held out: {way.text} Seconds.")
        if st.button(way.button, key=f"open_{way.name}", icon=f":material/{way.icon}:"):
            _open(spec, f"pages/{way.name}/page.py", way.link)


def _open(spec: S, page: str, link: links.Link[S, Any]) -> None:
    """Go to an analysis; one that is not stored is asked for on the way."""
    try:
        _ask(spec)
    except AtlasError as error:
        frame.show_error(error)
        return
    st.switch_page(page, query_params=link.point_to(spec))


def _ask(spec: LearnabilitySpec | InfluenceSpec) -> None:
    ws = workspace()
    if isinstance(spec, InfluenceSpec):
        if not influence.is_ready(spec, ws):
            requests.request_influence(spec, ws)
    elif not learnability.is_ready(spec, ws):
        requests.request_learnability(spec, ws)


def _card(info: DatasetInfo, title: str, text: str, spec: LearnabilitySpec) -> None:
    with st.container(border=True, key=f"card_{info.name}", height="stretch"):
        st.subheader(title, anchor=False)
        if info.available:
            strip.strip(spec.dataset)
        st.markdown(text)
        if st.button("Open", key=f"open_{info.name}", type="primary", icon=":material/arrow_forward:", disabled=not info.available):
            _open(spec, "pages/learnability/page.py", LEARNABILITY_LINK)
        if not info.available:
            missing.offer_download(DataMissing(f"{info.title} is not on this machine.", info.reason), info.name)


page()
