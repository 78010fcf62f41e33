"""From a page on one kernel to the page that compares it with another."""

import streamlit as st

from ntkcore.analyses.compare.differences import suggestions
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.influence import InfluenceSpec
from pages.shared import words
from pages.shared.choice import go_to


def compare_with(one: InfluenceSpec, ridge: float | None) -> None:
    """A button that opens the page Compare on this kernel as A, and what is often compared with it as B, where B can be changed.

    Args:
        one: the kernel of the page.
        ridge: its λ there; None: it has none.
    """
    told = words.spoken("Hold this kernel against another one on the same images: another seed, network, epoch, or what the kernel sees.")
    if st.button("Compare with …", icon=":material/balance:", type="tertiary", key="bar_compare", help=told):
        two = next(iter(suggestions(one).values()), one)
        go_to("compare", CompareSpec.of(one, two), CompareView() if ridge is None else CompareView(ridge=ridge))
