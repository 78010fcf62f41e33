"""The sessions of this server, and the form of a new one."""

from collections import Counter
from datetime import UTC, datetime

import streamlit as st
from pydantic import ValidationError

from ntkcore.analyses.label import sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.data import catalogue, own_sets, pool_size
from ntkcore.errors import AtlasError
from ntkcore.library import Labels, Session
from ntkcore.specs import DatasetSpec, title_of
from ntkcore.specs.base import faults
from ntkcore.specs.label import MOST_ITEMS, LabelSpec
from pages.label import session
from pages.shared import frame, words
from pages.shared.network import begun, named_networks
from pages.shared.person import ask, current, person

_NETWORKS = ("fcn", "cnn3", "cnn4", "convnet", "resnet18")
_MANY = 500


def show() -> None:
    """Sessions first, where there are any; then a new one."""
    person()
    try:
        found = Labels(workspace().library).sessions("label")
    except AtlasError:
        return  # said above
    _form(bool(found))
    if found:
        st.header("Sessions on this server", anchor=False)
    for one in found:
        _row(one)


def _row(one: Session) -> None:
    n = one.spec["dataset"]["n"]
    with st.container(border=True, key=f"session_{one.id[:12]}"):
        left, right = st.columns([5, 1], vertical_alignment="center")
        left.markdown(
            f"**{words.plain(one.title)}** · {one.decided:,} of {n:,} decided  \n:small[begun by {words.plain(one.author)}, {_when(one)}]"
        )
        right.button("Open", key=f"open-{one.id[:12]}", width="stretch", on_click=session.open_session, args=(one.id,))


def _when(one: Session) -> str:
    return words.when(datetime.fromtimestamp(one.made, UTC))


def _sets() -> dict[str, tuple[str, DatasetSpec]]:
    """What can be labelled: a title and a draw, by a key."""
    ws = workspace()
    mine = {one.content_id: (one.name, DatasetSpec(name="own", own=one.content_id)) for one in own_sets(ws.settings) if not one.problem}
    known = [info for info in catalogue(ws.settings) if info.available and len(info.shape) == 3]
    found = mine | {info.name: (info.title, DatasetSpec(name=info.name)) for info in known}
    named = Counter(title for title, _ in found.values())  # Streamlit tells options apart by what they are called
    return {key: (title if named[title] == 1 else f"{title} · {key[:6]}", dataset) for key, (title, dataset) in found.items()}


def _form(folded: bool) -> None:
    sets = _sets()
    with st.expander("A new session", expanded=not folded or "set" in st.query_params, icon=":material/add:"):
        if not current().name:
            ask("It stands beside each of your labels; this browser remembers it.")
        top = st.columns([3, 2, 2, 2], vertical_alignment="bottom")
        wished = st.query_params.get("set")
        first = list(sets).index(wished) if wished in sets else 0
        chosen = top[0].selectbox("What to label", list(sets), index=first, format_func=lambda key: sets[key][0], key="label.set")
        title, dataset = sets[chosen]
        try:
            size, without, names = pool_size(dataset, workspace().settings)
        except AtlasError as error:
            frame.show_error(error)
            return
        networks = (*_NETWORKS, *named_networks())
        network = top[1].selectbox("Network", networks, format_func=title_of, key=f"label.network.{chosen}")
        practise = not without
        held = min(200, size // 4) if practise else 0
        most = max(4, min(MOST_ITEMS, size) - held)
        many = min(_MANY if practise else _MANY + size - without, most)
        n = int(top[2].number_input("How many", 4, most, many, key=f"label.n.{chosen}", help="Those with a label, and others at random."))
        start = 0
        if practise:
            start = int(top[3].number_input("Labelled at the start", 0, n - 1, min(10, n - 1), key=f"label.start.{chosen}"))
        more = st.text_input(
            "Further classes",
            key=f"label.more.{chosen}",
            placeholder="comma-separated",
            help=f"Besides those of the set: {', '.join(names) or 'it has none'}.",
        )
        if practise:
            st.caption(
                f"All of {words.plain(title)} has labels, so this is practice: the labels are hidden, {held:,} further ones are held out, "
                "and the page says how well the network does on them."
            )
        else:
            st.caption(f"{without:,} of {size:,} have no label yet; the labels that are there are learned from the start.")
        with st.container(horizontal=True, gap="small", vertical_alignment="center"):
            begun = st.button("Begin", type="primary", key="label.begin", disabled=not current().name)
            if not current().name:
                st.html('<p class="atlas-quiet">Type your name above first.</p>')
        if begun:
            _begin(dataset, network, n, start, held, practise, more)


def _begin(dataset: DatasetSpec, network: str, n: int, start: int, held: int, practise: bool, more: str) -> None:
    further = tuple(dict.fromkeys(name.strip() for name in more.split(",") if name.strip()))
    try:
        spec = LabelSpec.model_validate(
            {
                "dataset": dataset.model_copy(update={"n": n}),
                "model": begun(network),
                "start": start,
                "held": held,
                "practise": practise,
                "more": further,
            }
        )
        with st.spinner("Reading the set …", show_time=False):
            made = sitting.begin(spec, current().name, workspace())
    except ValidationError as error:
        st.error(words.plain(". ".join(faults(error))), icon=":material/warning:")
    except AtlasError as error:
        frame.show_error(error)
    else:
        session.open_session(made)
        st.rerun()
