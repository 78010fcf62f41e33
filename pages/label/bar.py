"""The line above: how far it is, how fast, how well; the switches; and beside it the news of retraining."""

import html

import streamlit as st

from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.label.curve import at_random, first_network
from ntkcore.analyses.label.network import LabelNetwork, request
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.jobs import JobState
from pages.label import wide
from pages.shared import frame, notice, words
from pages.shared.person import current
from pages.shared.tables import facts_table

KEYS = "1234567890"
"""Of the first ten classes."""
_SUGGEST = "label.suggest"
_HELP = "label.help"
_VIEWED = "label.viewed"  # the view was switched, which the whole page shows


def suggests() -> bool:
    """Whether suggestions are shown."""
    return bool(st.session_state.get(_SUGGEST, True))


def show(sitting: Sitting) -> None:
    """One line."""
    session = sitting.session.id
    if st.session_state.pop(_VIEWED, False):
        st.rerun()
    view = st.query_params.get("view", "focus")
    progress = _progress(sitting)
    shown = words.as_html(progress, progress.partition(",")[0])
    st.html(f'<p class="atlas-progress" title="{html.escape(progress)}">{shown}</p>')
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="label_bar"):
        st.segmented_control(
            "View", ["focus", "bulk"], default=view, key="label.view", label_visibility="collapsed", required=True, on_change=_viewed
        )
        st.toggle("Suggestion", value=suggests(), key=f"{_SUGGEST}.toggle", on_change=_switched)
        st.button("Undo", key="label_undo", shortcut="U", on_click=wide.undo, args=(session,))
        st.button("? Keys", key="label_keys", type="tertiary", on_click=show_keys)
        notice.show(wide.PART)
    if st.session_state.pop(_HELP, False):
        _keys()


def _switched() -> None:
    st.session_state[_SUGGEST] = st.session_state[f"{_SUGGEST}.toggle"]


def _viewed() -> None:
    st.query_params["view"] = st.session_state["label.view"]
    st.session_state[_VIEWED] = True


def show_keys() -> None:
    """Show the list of keys, in the next run."""
    st.session_state[_HELP] = True


def _progress(sitting: Sitting) -> str:
    pace = sittings.pace(sitting, current().name)
    labels = len(sitting.moment.labels)
    parts = [f"{labels:,} labelled, {sitting.left:,} left"]
    if pace.minute is not None:
        parts.append(f"{pace.minute:.0f} a minute")
    if pace.of:
        parts.append(f"{pace.right} of the last {pace.of} suggestions right")
    if (right := sitting.moment.right) is not None:
        first = first_network(sitting, workspace())
        drawn = None if first is None else at_random(first, labels, workspace())
        beside = "" if drawn is None else f" (at random {words.share(drawn)})"
        parts.append(f"expected {words.share(right)} right on what is held out{beside}")
    return " · ".join(parts)


@st.fragment(run_every=3.0, key="label_retrained")
@frame.telling
def news(session: str) -> None:
    """What became of retraining, in one line; nothing is swapped unasked.

    It stands beside the views, not in them: a part that ticks within one that runs at every key can lose the page's style.
    """
    sitting = wide.opened(session)
    found = sittings.retrained(sitting, workspace())
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="label_news_line"):
        if isinstance(found, LabelNetwork):
            st.html(f'<p class="atlas-quiet">{html.escape(_announced(found))}</p>')
            if st.button("use it", key="label_use", type="tertiary"):
                sittings.use(sitting, found, workspace())
                st.rerun()
        elif isinstance(found, JobState) and found.active:
            st.html(f'<p class="atlas-quiet">A network is being trained on {_labels(sitting)} in the background.</p>')
        elif isinstance(found, JobState):
            st.html(f'<p class="atlas-quiet">Training a new network did not end well: {html.escape(found.message or found.status)}</p>')
            if (wanted := sittings.due(sitting)) is not None:
                st.button("try again", key="label_retry", type="tertiary", on_click=request, args=(wanted, workspace()))
        else:
            st.html(f'<p class="atlas-quiet">{html.escape(_settled(sitting))}</p>')


def _labels(sitting: Sitting) -> str:
    wanted = sittings.due(sitting)
    return words.counted(0 if wanted is None else len(wanted.labelled), "labels")


def _announced(found: LabelNetwork) -> str:
    count = words.counted(len(found.spec.labelled), "labels")
    if found.right is not None:
        return f"New network with {count}: {words.share(found.right)} right on what is held out."
    agreed = "" if found.agreed is None else f": it gives {words.share(found.agreed)} of them itself"
    return f"New network with {count}{agreed}."


def _settled(sitting: Sitting) -> str:
    """How much an answer still moves, as a hint when to stop."""
    pace = sittings.pace(sitting, current().name)
    if pace.moved is None:
        return ""
    rank = "" if pace.rank is None else f", the ranking stays to ρ = {pace.rank:.2f}"
    hint = ": further labels teach little" if pace.moved < 0.002 and (pace.rank or 0) > 0.98 else ""
    return f"An answer changes {words.share(pace.moved)} of the predictions{rank}{hint}"


@st.dialog("Keys")
def _keys() -> None:
    rows = [
        ("1 … 9, 0", "the class with that number"),
        ("Enter", "accept the suggestion"),
        ("D", "cannot tell: nobody is asked for it again"),
        ("S", "skip: it comes again at the end"),
        ("N", "write a note"),
        ("U", "undo your last decision, and the one before it, and so on"),
        ("← →", "back through what was decided, and forward"),
        ("?", "this list"),
    ]
    facts_table(rows)
