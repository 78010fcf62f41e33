"""The bulk view: what the network is surest of, ticked; one key labels all that is ticked."""

import streamlit as st

from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Labels
from pages.label import bar, wide
from pages.shared import frame, media, notice, words
from pages.shared.gallery import Card, Ticked, gallery
from pages.shared.person import current

_SHOWN = 40
_GALLERY, _CLASS = "label_bulk", "label.bulk.class"


@st.fragment(key="label_bulk_view")
@frame.telling
def show(session: str) -> None:
    """A grid of one suggested class at a time."""
    sitting = wide.opened(session)
    bar.show(sitting)
    names = sitting.network.class_names
    groups = _groups(sitting)
    if not groups:
        st.success("Everything here is decided, or is before others.", icon=":material/done_all:")
        return
    held = st.session_state.get(_CLASS)
    now = held if held in groups else max(groups, key=lambda label: len(groups[label]))
    st.segmented_control(
        "Suggested as",
        sorted(groups),
        default=now,
        format_func=lambda label: f"{names[label]} ({len(groups[label]):,})",
        key=f"{_CLASS}.{now}",
        required=True,
        on_change=_chosen,
        args=(now,),
    )
    me = current()
    items = Labels(workspace().library).claim_some(session, groups[now], _SHOWN, me.token, me.name)  # nobody else gets them meanwhile
    turn = f"{sitting.session.id}.{now}.{len(sitting.standing.decisions)}"
    ticked = _ticked(turn, items)
    if len(groups[now]) < _SHOWN:
        st.html(f'<p class="atlas-quiet">Only {words.counted(len(items), "items")} are left that it suggests as this.</p>')
    with st.container(horizontal=True, gap="small", key="label_bulk_keys"):
        for place, name in enumerate(names):
            st.button(
                words.plain(name),
                key=f"label_bulk_{place}_{turn}",
                shortcut=bar.KEYS[place] if place < len(bar.KEYS) else None,
                type="primary" if place == now else "secondary",
                on_click=_keep,
                args=(sitting.session.id, turn, {item: sitting.standing.seen(item) for item in items}, place),
                disabled=not items,
            )
    st.html(f'<p class="atlas-quiet">{len(ticked):,} ticked: a class, or its key, labels all of them. Untick what it has wrong.</p>')
    cards = []
    for item in items:
        label, chance = sitting.moment.suggestion(item)
        cards.append(Card(item, names[label], f"{chance:.2f}", "", "", False, f"{sitting.network.ids[item]}: {names[label]}, {chance:.2f}"))
    gallery(
        cards,
        base=media.thumbnail_base(sitting.network.pack),
        key=f"{_GALLERY}.{turn}",
        revision=0,
        empty="There is nothing to label.",
        ticked=Ticked(items, _nothing, "label it with the others"),
        cell=96,
        tools=False,
    )


def _groups(sitting: Sitting) -> dict[int, list[int]]:
    """Items by suggested class, the surest first; without those that others have before them."""
    taken = Labels(workspace().library).claims(sitting.session.id, current().token)
    final = sitting.standing.final
    found: dict[int, list[int]] = {}
    for item in sitting.moment.surest:
        if item not in final and item not in taken:
            found.setdefault(sitting.moment.suggested[item], []).append(item)
    return found


def _ticked(turn: str, items: list[int]) -> list[int]:
    said = st.session_state.get(f"{_GALLERY}.{turn}")
    ids = said["ticked"]["ids"] if said and said.get("ticked") else items
    return [item for item in items if item in set(ids)]


def _chosen(now: int) -> None:
    st.session_state[_CLASS] = st.session_state[f"{_CLASS}.{now}"]


def _nothing() -> None:
    """The ticks are in the gallery's state."""


def _keep(session: str, turn: str, seen: dict[int, int | None], label: int) -> None:
    ticked = _ticked(turn, list(seen))
    try:
        network = wide.opened(session).network.key
        deeds = [(item, "label", label, seen[item]) for item in ticked]
        Labels(workspace().library).decide_all(session, deeds, current().name, told={"network": network, "bulk": len(ticked)})
    except AtlasError as error:
        notice.tell(wide.PART, error)
