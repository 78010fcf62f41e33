"""What is shown, held against a saved analysis: choices, answers, rankings, and the images that moved most."""

from typing import Any

import streamlit as st

from ntkcore.analyses import catalogue
from ntkcore.analyses.sharing.diff import Diff, Side, differ, side
from ntkcore.analyses.sharing.differences import change_words
from ntkcore.analyses.workspace import workspace
from ntkcore.library.shelf import Wanted, shelf
from ntkcore.report import links
from pages.shared import person, words
from pages.shared.choice import Link
from pages.shared.strip import pictures

_LISTED, _FEW = 50, 8  # saved analyses offered, images of each way


def against_saved(link: Link[Any, Any]) -> None:
    """Show it, for a dialog."""
    ws, who, choice = workspace(), person.who(), link.current()
    cards = shelf(ws.library, who, Wanted(pages=(link.page,)), count=_LISTED).cards
    titles = {card.version.reference: f"{card.version.content.title} · {card.version.author} · {card.version.reference}" for card in cards}
    left, right = st.columns(2, gap="medium")
    chosen = left.selectbox("Saved analysis", list(titles), index=None, format_func=titles.__getitem__, key="diff.saved")
    typed = right.text_input("Or its address", key="diff.address", placeholder="7Q2M, or the address of a page")
    reference = typed.strip() or chosen
    if not reference:
        st.caption("What is shown here is A; what is chosen is B." if titles else "No analysis of this page is saved yet; give an address.")
        return
    asked = links.read(reference, who, ws)
    analysis = catalogue.named(asked.name)
    if not analysis.ready(analysis.asked(asked.spec, asked.view, ws), ws):
        st.info("Its result is not stored here any more. Open it, and compute it first.", icon=":material/info:")
        return
    with st.spinner("What differs …", show_time=False):
        found = differ(side(link.page, choice.spec, choice.view, ws), side(asked.name, asked.spec, asked.view, ws), ws)
    _show(found)


def _show(found: Diff) -> None:
    if found.changes:
        st.markdown("**What differs:** " + " · ".join(words.plain(change_words(change)) for change in found.changes))
    else:
        same = found.sides[0].name == found.sides[1].name
        st.markdown("**The same choice.**" if same else "**Analyses of different pages.**")
    for column, name, answer, each in zip(st.columns(2, gap="medium"), "AB", found.answers, found.sides, strict=True):
        with column:
            st.markdown(f"**{name}** {words.plain(each.title)}")
            st.markdown("  \n".join(words.plain(words.spoken(sentence)) for sentence in answer))
    if found.moved is None or found.agreement is None:
        st.caption(words.spoken(found.why))
        return
    rho = found.agreement
    told = (
        f"ρ = **{words.signed(rho.rho)}**, 95 % interval {words.signed(rho.low)} to {words.signed(rho.high)}" if rho.defined else rho.reason
    )
    st.markdown(words.spoken(f"Of {rho.n:,} images in both, Spearman’s {told}."))
    _images(found, found.sides[0])
    if found.compare:
        st.link_button("Both kernels against each other", found.compare, icon=":material/compare_arrows:")


def _images(found: Diff, one: Side) -> None:
    """Those that moved most, each way; below each its rank in A and in B, 1 the largest."""
    ws, moved = workspace(), found.moved
    analysis = catalogue.named(one.name)
    pack = analysis.open(analysis.asked(one.spec, one.view, ws), ws).pack
    assert moved is not None  # shown where there is a ranking
    up, down = moved[moved["moved"] > 0].head(_FEW), moved[moved["moved"] < 0].tail(_FEW)[::-1]
    for column, rows, head in zip(st.columns(2, gap="medium"), (up, down), ("Moved up most in B", "Moved down most in B"), strict=True):
        with column:
            said = [f"{words.number(a, 6)} → {words.number(b, 6)}" for a, b in zip(rows["rank_a"], rows["rank_b"], strict=True)]
            pictures(pack, rows["image"].tolist(), said, [str(name) for name in rows["id"]], head=head)
