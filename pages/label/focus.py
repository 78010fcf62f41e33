"""The focus view: one item, the classes on fixed buttons and keys, the suggestion, and why it is this one."""

import html
from collections.abc import Sequence

import streamlit as st

from ntkcore.analyses.label import sitting as sittings
from ntkcore.analyses.label.sitting import Sitting
from ntkcore.analyses.workspace import workspace
from ntkcore.library import Labels
from ntkcore.library.labels import NOTE
from pages.label import bar, wide
from pages.shared import frame, media, words
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.person import current
from pages.shared.strip import pictures
from pages.shared.viewer import enlarged

_WHY = 3  # possible labels whose changes are shown
_QUEUE, _HISTORY = 8, 12
_MARKS = {"cannot": "cannot tell", "skip": "skipped"}


@st.fragment(key="label_focus")
@frame.telling
def show(session: str) -> None:
    """Only this part of the page runs again at an answer."""
    sitting = wide.opened(session)
    item, back = wide.at(sitting)
    bar.show(sitting)
    if item is None:
        _nothing_left(sitting)
        _history(sitting, None)
    else:
        left, middle, right = st.columns([6, 6, 7], gap="medium")
        with left, st.container(key="label_item"):
            _item(sitting, item)
        with middle:
            _answers(sitting, item, back)
        with right, st.container(key="label_why"):
            _why(sitting, item)
        _queue(sitting, item)
        _history(sitting, item)
        sittings.prepare(sitting, item, workspace())


def _item(sitting: Sitting, item: int) -> None:
    network, notes = sitting.network, sitting.standing.notes
    enlarged(network.pack, item, network.ids[item], network.spec.session.dataset)
    note = f"<br>Note: {html.escape(notes[item].note)}" if item in notes else ""
    st.html(f'<p class="atlas-quiet">{html.escape(network.ids[item])}{note}</p>')


def _answers(sitting: Sitting, item: int, back: bool) -> None:
    """The buttons: always the same ones, in the same places, whatever is suggested."""
    network, session = sitting.network, sitting.session.id
    standing, shown = sitting.standing, bar.suggests()
    seen, now = standing.seen(item), standing.current.get(item)
    label = None if now is None else now.label
    turn = f"{item}_{seen}"  # a key that is pressed twice does not answer for the next item
    suggested = None if item in sitting.moment.labels else sitting.moment.suggestion(item)
    with st.container(key="label_suggestion"):
        said = "Suggestion hidden" if not shown else "It has a label" if suggested is None else ""
        if suggested is not None and shown:
            said = f"{words.plain(network.class_names[suggested[0]])} · {suggested[1]:.2f}"
        st.button(
            f"Accept: {said}" if suggested is not None and shown else said,
            key=f"label_accept_{turn}",
            shortcut="Enter",
            icon=":material/auto_awesome:",
            width="stretch",
            disabled=suggested is None or not shown,
            on_click=wide.keep,
            args=(session, item, "label", seen, None if suggested is None else suggested[0], shown),
            help="The class with the largest output, and its probability: the outputs projected on those that add up to 1.",
        )
    with st.container(key="label_classes", gap="xsmall"):
        columns = st.columns(2, gap="xsmall")
        for place, name in enumerate(network.class_names):
            columns[place % 2].button(
                words.plain(name),
                key=f"label_class_{place}_{turn}",
                shortcut=bar.KEYS[place] if place < len(bar.KEYS) else None,
                width="stretch",
                type="primary" if label == place else "secondary",
                on_click=wide.keep,
                args=(session, item, "label", seen, place, shown),
            )
    with st.container(horizontal=True, gap="small", key="label_other"):
        for text, key, deed in (("Cannot tell", "D", "cannot"), ("Skip", "S", "skip")):
            st.button(text, key=f"label_{deed}_{turn}", shortcut=key, on_click=wide.keep, args=(session, item, deed, seen))
        if st.button("Note", key=f"label_note_{turn}", shortcut="N"):
            _note(session, item, standing.notes[item].note if item in standing.notes else "")
    with st.container(horizontal=True, gap="small", key="label_moves"):
        past = _past(sitting)
        here = past.index(item) if item in past and back else len(past)
        before = past[here - 1] if here else None
        after = past[here + 1] if here + 1 < len(past) else None
        st.button("Back", key="label_back", shortcut="Left", disabled=before is None, on_click=wide.go, args=(session, before))
        st.button("Forward", key="label_forward", shortcut="Right", disabled=not back, on_click=wide.go, args=(session, after))
    st.html(f'<p class="atlas-quiet" style="min-height: 2.6em">{html.escape(_stands(sitting, item))}</p>')


def _stands(sitting: Sitting, item: int) -> str:
    now, names = sitting.standing.current.get(item), sitting.network.class_names
    if (twin := sittings.twin(sitting, item)) is not None and (now is None or now.label != sitting.moment.labels[twin]):
        label = names[sitting.moment.labels[twin]]
        return f"The network cannot tell it from {sitting.network.ids[twin]}, which is labelled {label}: another label contradicts that."
    if now is None:
        return sittings.one_class(sitting)
    if now.label is not None:
        return f"Labelled {names[now.label]} by {now.author}. Another class replaces it."
    return f"{_MARKS.get(now.deed, now.deed).capitalize()} by {now.author}."


def _past(sitting: Sitting) -> list[int]:
    """Items that were decided, in the order in which they were."""
    found = sorted(sitting.standing.current.values(), key=lambda one: one.id)
    return [one.item for one in found if one.item < sitting.network.n]


@st.dialog("Note")
def _note(session: str, item: int, text: str) -> None:
    key = f"label_note_text_{item}"
    st.text_area("What should be known of it", value=text, max_chars=NOTE, key=key)
    if st.button("Keep", type="primary", key="label_note_keep", on_click=wide.note, args=(session, item, key)):
        st.rerun()  # closes it


def _why(sitting: Sitting, item: int) -> None:
    names = sitting.network.class_names
    st.subheader("Why this one?", anchor=False)
    if item in sitting.moment.labels:
        st.html('<p class="atlas-quiet">It has a label: you went back to it.</p>')
    else:
        why = sitting.moment.why(item)
        for change in why[:_WHY]:
            _strip(sitting, change.most, f"If it is {names[change.label]}, {_predictions(change.flips)}")
        if rest := why[_WHY:]:
            low, high = min(one.flips for one in rest), max(one.flips for one in rest)
            of = f"{low:,}" if low == high else f"{low:,} to {high:,}"
            st.html(f'<p class="atlas-quiet">Any other class changes {of} predictions.</p>')
    last = next((one for one in reversed(sittings.answered(sitting)) if one.author == current().name), None)
    if last is not None:
        changed, expected = last.told["changed"], last.told["expected"]
        images = [image for image in last.told["most"] if image < sitting.network.n]
        head = f"After your last answer: {_predictions(changed, past=True)} ({expected:.0f} expected)"
        _strip(sitting, images, head)


def _strip(sitting: Sitting, images: Sequence[int], head: str) -> None:
    """A few items; the room for them stays where there are none."""
    if images:
        pictures(sitting.network.pack, images, titles=[sitting.network.ids[i] for i in images], head=head)
    else:
        st.html(f'<p class="atlas-quiet">{html.escape(head)}</p><div class="atlas-strip"></div>')


def _predictions(count: int, *, past: bool = False) -> str:
    verb = "changed" if past else "change" + ("s" if count == 1 else "")
    return f"{count:,} prediction{'' if count == 1 else 's'} {verb}"


def _queue(sitting: Sitting, item: int) -> None:
    """What comes next; its pictures are then in the browser already."""
    coming = [i for i in sittings.order(sitting) if i != item][:_QUEUE]
    _strip(sitting, coming, "Next, as it stands")


def _history(sitting: Sitting, item: int | None) -> None:
    names, session = sitting.network.class_names, sitting.session.id
    past = list(reversed(_past(sitting)))[:_HISTORY]
    st.html('<p class="atlas-quiet">Decided last: a click goes back to one, to change its label</p>')
    cards = []
    for one in past:
        now = sitting.standing.current[one]
        label = names[now.label] if now.label is not None and now.label < len(names) else _MARKS.get(now.deed, now.deed)
        title = f"{sitting.network.ids[one]}: {label}, by {now.author}"
        cards.append(Card(one, label, "", now.author, "", False, title))
    gallery(
        cards,
        base=media.thumbnail_base(sitting.network.pack),
        key="label_history",
        revision=0,
        empty="Nothing yet.",
        opens=Opens(lambda image: wide.go(session, image), "change it"),
        current=item if item in past else None,
        cell=72,
        tools=False,
    )


def _nothing_left(sitting: Sitting) -> None:
    others = Labels(workspace().library).claims(sitting.session.id, current().token)
    if sitting.left:
        who = ", ".join(sorted(set(others.values())))
        st.info(f"Others have the last {words.counted(sitting.left, 'items')} before them: {words.plain(who)}.", icon=":material/group:")
        st.button("Look again", key="label_again")
    else:
        st.success("Everything here is decided. Take the labels with you below, or begin another session.", icon=":material/done_all:")
