"""The start: what this is, and the ways in."""

import streamlit as st

from ntkcore.analyses import catalogue
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DatasetInfo
from ntkcore.data import catalogue as sets
from ntkcore.errors import AtlasError, DataMissing
from ntkcore.library import asking
from ntkcore.specs import Spec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec
from pages import PAGES, Entry, entry
from pages.shared import frame, missing, strip
from pages.shared.choice import go_to
from pages.shared.page import heading

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

_ABREAST = 3  # cards in a row


def page() -> None:
    """Two sentences and the cards."""
    heading("start")
    infos = {info.name: info for info in sets(workspace().settings)}
    for column, (name, title, text, spec) in zip(st.columns(3, gap="medium"), _CARDS, strict=True):
        with column:
            _card(infos[name], title, text, spec)
    ways = [page for page in PAGES if page.card is not None]
    for first in range(0, len(ways), _ABREAST):
        for column, way in zip(st.columns(_ABREAST, gap="medium"), ways[first : first + _ABREAST], strict=False):
            with column:
                _way(way)
    if asking.person().may("import"):
        label = "Or bring your own: images (zip, Parquet, npz) or texts (CSV, Parquet)"
        st.page_link(entry("data").file, label=label, icon=":material/upload:")


def _way(way: Entry) -> None:
    """A card that leads to a page: to its analysis of the small digits, where that takes seconds."""
    card = way.card
    assert card is not None  # those with a card are shown
    spec: InfluenceSpec = catalogue.named(way.name).spec() if card.quick else InfluenceSpec()
    digits = f"{spec.dataset.n:,} handwritten digits, and {spec.test:,} held out: "
    with st.container(border=True, key=f"card_{way.name}", height="stretch"):
        st.subheader(card.question, anchor=False)
        st.markdown(f"{digits}{card.text} Seconds." if card.quick else card.text)
        if st.button(card.button, key=f"open_{way.name}", icon=f":material/{way.icon}:"):
            if card.quick:
                _open(catalogue.named(way.name), spec, way.name)
            else:
                go_to(way.name)


def _open(analysis: Analysis, spec: Spec, page: str) -> None:
    """Go to an analysis; one that is not stored is asked for on the way."""
    try:
        if not analysis.ready(spec, workspace()):
            analysis.request(spec, workspace())
    except AtlasError as error:
        frame.show_error(error)
        return
    go_to(page, spec)


def _card(info: DatasetInfo, title: str, text: str, spec: LearnabilitySpec) -> None:
    with st.container(border=True, key=f"card_{info.name}", height="stretch"):
        st.subheader(title, anchor=False)
        if info.available:
            strip.strip(spec.dataset)
        st.markdown(text)
        if st.button("Open", key=f"open_{info.name}", type="primary", icon=":material/arrow_forward:", disabled=not info.available):
            _open(LEARNABILITY, spec, "learnability")
        if not info.available:
            missing.offer_download(DataMissing(f"{info.title} is not on this machine.", info.reason), info.name)


page()
