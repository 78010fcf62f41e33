"""The start: what this is, and the ways in."""

import streamlit as st

from ntkcore.analyses import requests
from ntkcore.analyses.learnability import is_ready
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DatasetInfo, catalogue
from ntkcore.errors import AtlasError, DataMissing
from ntkcore.specs import LearnabilitySpec
from pages.parts import frame, links, missing, strip

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
    _comparison()
    st.page_link("pages/images.py", label="Or bring your own images: a zip, a Parquet file or an npz", icon=":material/upload:")


def _comparison() -> None:
    with st.container(border=True, key="card_convergence"):
        left, right = st.columns([6, 1], vertical_alignment="center", gap="medium")
        with left:
            st.subheader("How good is the cheap kernel?", anchor=False)
            st.markdown("The pseudo-NTK costs a small part of the full kernel. See over width and training how well it stands in for it.")
        if right.button("Compare", key="open_convergence", icon=":material/compare_arrows:", width="stretch"):
            st.switch_page("pages/convergence.py")


def _card(info: DatasetInfo, title: str, text: str, spec: LearnabilitySpec) -> None:
    with st.container(border=True, key=f"card_{info.name}", height="stretch"):
        st.subheader(title, anchor=False)
        if info.available:
            strip.strip(spec.dataset)
        st.markdown(text)
        if st.button("Open", key=f"open_{info.name}", type="primary", icon=":material/arrow_forward:", disabled=not info.available):
            try:
                if not is_ready(spec, workspace()):
                    requests.request_learnability(spec, workspace())
            except AtlasError as error:
                frame.show_error(error)
                return
            st.switch_page("pages/learnability.py", query_params=links.learnability.point_to(spec))
        if not info.available:
            missing.offer_download(DataMissing(f"{info.title} is not on this machine.", info.reason), info.name)


page()
