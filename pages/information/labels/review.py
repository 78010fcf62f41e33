"""The review of labels: the suspicious ones one at a time, accepted, relabelled or rejected by button or key; the corrected labels.

Decisions are in the library, where everybody who reviews these images sees them; the address says which image is looked at.
"""

import html
from functools import partial

import numpy as np
import streamlit as st

from ntkcore.analyses.influence import one
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.labels import kept
from ntkcore.analyses.information.labels import review as reviews
from ntkcore.analyses.information.views import look_of
from ntkcore.analyses.materials.thumbnails import with_texts
from ntkcore.analyses.workspace import workspace
from ntkcore.errors import AtlasError
from ntkcore.library import Standing, Taken
from ntkcore.specs.detection import SUSPICIONS, LabelsView
from ntkcore.specs.information import InformationView
from pages.information.choice import LINK
from pages.shared import frame, media, notice, words
from pages.shared.controls import Controls
from pages.shared.downloads import csv_download
from pages.shared.gallery import Card, Opens, gallery
from pages.shared.person import author
from pages.shared.strip import pictures
from pages.shared.tables import facts_table
from pages.shared.viewer import enlarged

_REVIEW = Controls("information.labels", LINK, within="labels")
_FIRST = (20, 50, 100, 200, 500, 0)
_GALLERY = "labels_gallery"
_BEFORE, _SHOWN = 3, 22  # cards before the image under review, and in all
_FEW = 6  # neighbours
_PART = "information.labels"  # of the line for what a decision came to
_RESULT = "information.labels.result"  # what is under review, for what a button does
_WORDS = {"accept": "✓ accepted", "reject": "✕ rejected"}


@st.fragment(key="labels_review")
@frame.telling
def show_review(result: InfluenceResult) -> None:
    """The image under review, the next ones, and the exports. Only this part of the page runs again at a decision."""
    choice = LINK.current()
    linked = reviews.known(result, choice.view.labels)
    found_kept = kept.standing(result, workspace())
    labels = reviews.known(result, kept.merged(linked, found_kept))
    view = choice.view.model_copy(update={"labels": labels})
    st.session_state[_RESULT] = result
    st.header("Review the labels", anchor=False)
    if len(result.labels) < 2:
        st.caption(words.spoken("There is one image only: nothing to rank."))
        return
    found = _review(result, view)
    _controls(result, labels)
    image = reviews.shown(found, labels)
    _progress(result, found, labels, image)
    _carried(len(kept.carried(linked, found_kept)))
    notice.show(_PART)
    left, middle, right = st.columns([5, 8, 7], gap="large")
    with left:
        enlarged(result.pack, image, result.class_names[result.labels[image]], result.spec.dataset)
        _steps(found, image, result.pack)
    with middle:
        _question(result, found, image)
        _deeds(result, found, labels, image, found_kept)
        _nearest(result, image)
    with right:
        _facts(result, found, image)
    _next(result, found, labels, image, choice.revision)


def _review(result: InfluenceResult, view: InformationView) -> reviews.Review:
    look = look_of(result, view, workspace())
    return reviews.review(look, view.labels.by, view.labels.first)


def _controls(result: InfluenceResult, labels: LabelsView) -> None:
    n = len(result.labels)
    firsts = [*sorted({*(first for first in _FIRST if 0 < first < n), *([labels.first] if labels.first else [])}), 0]
    _REVIEW.seed(result.key, "by", "first")
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _REVIEW.control(
            "by",
            st.selectbox,
            "Ranked by",
            options=list(SUSPICIONS),
            format_func=SUSPICIONS.__getitem__,
            **_REVIEW.fields.then("by", partial(_ranked, "by")),
            width=230,
            help="Which labels come first. None of these scores knows which labels are flipped.",
        )
        _REVIEW.control(
            "first",
            st.selectbox,
            "Go through",
            options=firsts,
            format_func=lambda first: f"the first {first:,}" if first else f"all {n:,}",
            **_REVIEW.fields.then("first", partial(_ranked, "first")),
            width=150,
        )
        _download("Decisions (CSV)", "decisions", result, labels)
        _download("Corrected labels (CSV)", "labels", result, labels)


def _download(label: str, name: str, result: InfluenceResult, labels: LabelsView) -> None:
    make = {"decisions": reviews.decisions_table, "labels": reviews.labels_table}[name]
    csv_download(
        label,
        lambda: with_texts(make(result, labels), result.pack, workspace()),
        file=f"{'corrected-' if name == 'labels' else ''}{name}",
        key=f"labels_csv_{name}",
        disabled=name == "decisions" and not len(reviews.images_decided(labels)),
    )


def _ranked(name: str) -> None:
    """Another ranking: it begins with its first image that is not decided."""
    _REVIEW.set(**{name: _REVIEW[name]}, at=None)


def _progress(result: InfluenceResult, found: reviews.Review, labels: LabelsView, image: int) -> None:
    done, of = reviews.done(found, labels), len(found.queue)
    said = f"**{done:,} reviewed** of {of:,}"
    parts = [
        (len(labels.accepted), "accepted"),
        (len(labels.relabelled), "relabelled"),
        (len(labels.rejected), "rejected"),
    ]
    if told := ", ".join(f"{count:,} {word}" for count, word in parts if count):
        said += f" · in all {told}"
    if len(reviews.images_decided(labels)) and (result.labels != result.true_labels).any():
        worth = reviews.outcome(result, labels)
        wronged = f", {worth.wronged:,} right ones made wrong" if worth.wronged else ""
        said += f" · of {worth.flipped:,} flipped labels {worth.found:,} gone, {worth.restored:,} of them set right{wronged}"
    st.progress(done / of, text=said)


def _steps(found: reviews.Review, image: int, pack: str) -> None:
    place = np.flatnonzero(found.queue == image)
    here = int(place[0]) if len(place) else None
    before = int(found.queue[here - 1]) if here else None
    after = None if here is None else int(found.queue[here + 1]) if here + 1 < len(found.queue) else None
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button("Previous", key="labels_previous", shortcut="Left", disabled=before is None, on_click=_go, args=(before,))
        if here is None:
            st.button("To the first", key="labels_next", shortcut="Right", on_click=_go, args=(None,))
        else:
            st.button("Next", key="labels_next", shortcut="Right", disabled=after is None, on_click=_go, args=(after,))
    where = f"number {here + 1:,} of {len(found.queue):,}" if here is not None else "not among those gone through"
    st.html(f'<p class="atlas-quiet">{media.noun(pack)} {image}, {where}</p>')


def _go(image: int | None) -> None:
    _REVIEW.set(at=image)


def _question(result: InfluenceResult, found: reviews.Review, image: int) -> None:
    names, label = result.class_names, int(result.labels[image])
    agrees = found.unseen[image] == label
    st.html(
        f'<p class="atlas-fact">Labelled <b>{html.escape(names[label])}</b>; without seeing it, the network says '
        f"<b>{html.escape(names[found.unseen[image]])}</b>{', too' if agrees else ''}.</p>"
    )


def _facts(result: InfluenceResult, found: reviews.Review, image: int) -> None:
    names, label = result.class_names, int(result.labels[image])
    learned = "as labelled" if found.predicted[image] == label else "not as labelled"
    rows = [
        ("From", result.ids[image]),
        ("Network with it", f"{names[found.predicted[image]]}: {learned}"),
        ("Without it", _outputs(result, found.outputs[image])),
        *(
            (_capital(title), f"{words.number(float(found.scores[name][image]))}, percentile {found.percentiles[name][image]:.1f}")
            for name, title in SUSPICIONS.items()
        ),
    ]
    facts_table(
        rows,
        "F-SI in nats; loss ½‖f − y‖²; margin: the output for its label less the best other one; self-influence: by how much its own loss "
        "rises without it. Higher is more suspicious; percentile 100 is the most.",
    )


def _capital(title: str) -> str:
    return title if title.startswith("k(") else title[0].upper() + title[1:]


def _outputs(result: InfluenceResult, outputs: np.ndarray) -> str:
    names = result.class_names
    if len(outputs) == 1:
        return f"output {words.signed(float(outputs[0]))}: {names[0]} is −1, {names[1]} is +1"
    largest = np.argsort(-outputs, kind="stable")[:3]
    return ", ".join(f"{names[o]} {words.signed(float(outputs[o]))}" for o in largest)


def _deeds(result: InfluenceResult, found: reviews.Review, labels: LabelsView, image: int, held: Standing) -> None:
    names, label = result.class_names, int(result.labels[image])
    what = reviews.decision(labels, image)
    deed, given = what if what is not None else (None, None)
    to = int(found.suggested[image]) if given is None else given
    if len(names) > 2:
        others = [place for place in range(len(names)) if place != label]
        to = st.selectbox(
            "Other class",
            others,
            index=others.index(to) if to in others else 0,
            format_func=names.__getitem__,
            key=f"labels_to_{image}",
            label_visibility="collapsed",
            help="The class it would be given.",
        )
    with st.container(horizontal=True, gap="small"):
        seen = held.seen(image)
        _deed("Accept", "accept", "A", deed, (image, seen, None))
        _deed(f"Relabel: {words.plain(names[to])}", "relabel", "L", deed if given == to else None, (image, seen, to))
        _deed("Reject", "reject", "X", deed, (image, seen, None))
        mine = any(one.author == author() for one in held.decisions)
        st.button("Undo", key="labels_undo", shortcut="U", type="tertiary", disabled=not mine, on_click=_undo)
    said = {
        None: "Not decided.",
        "accept": "Accepted: its label stays.",
        "reject": "Rejected: it is to be left out.",
        "relabel": f"Relabelled: {names[given] if given is not None else ''}.",
    }[deed]
    st.html(
        f'<p class="atlas-quiet"><b>{html.escape(said)}</b> Keys: A accept, L relabel, X reject, U undo, arrows to move. '
        f"{'The same again takes it back. ' if deed else ''}{html.escape(_by(held, image))}</p>"
    )


def _by(held: Standing, image: int) -> str:
    """Who decided it, and under which name the next decision is kept."""
    now = held.current.get(image)
    who = "" if now is None or now.deed == "open" else f"Decided by {now.author}. "
    return f"{who}Decisions are kept on this server, yours as {author()}."


def _deed(label: str, deed: reviews.Deed, key: str, now: reviews.Deed | None, of: tuple[int, int | None, int | None]) -> None:
    image, seen, to = of
    st.button(
        label,
        key=f"labels_{deed}_{image}_{seen}",  # a key that is pressed twice does not decide the next image
        shortcut=key,
        type="primary" if now == deed else "secondary",
        on_click=_decide,
        args=(image, None if now == deed else deed, to, seen),
    )


def _decide(image: int, deed: reviews.Deed | None, to: int | None, seen: int | None) -> None:
    """Keep the decision, and go on to the next image; a decision taken back stays in sight."""
    result, ws = st.session_state[_RESULT], workspace()
    try:
        kept.keep(result, image, deed, to if deed == "relabel" else None, author(), seen, ws)
    except Taken as taken:
        if taken.decision is None or taken.decision.author != author():  # else a key pressed twice, which says nothing new
            notice.tell(_PART, taken)
        return
    except AtlasError as error:
        notice.tell(_PART, error)
        return
    if deed is None:
        _REVIEW.set(at=image)
        return
    choice = LINK.current()
    labels = reviews.known(result, kept.merged(choice.view.labels, kept.standing(result, ws)))
    found = _review(result, choice.view)
    _REVIEW.set(at=reviews.following(found, labels, image))


def _undo() -> None:
    try:
        image = kept.undo(st.session_state[_RESULT], author(), workspace())
    except AtlasError as error:
        notice.tell(_PART, error)
        return
    if image is not None:
        _REVIEW.set(at=image)


def _carried(count: int) -> None:
    """What a link of before brought along, and the button that keeps it."""
    if not count:
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center", key="labels_carried"):
        st.caption(f"This link carries {words.counted(count, 'decisions')} that the server does not have.")
        st.button("Keep them here", key="labels_keep", on_click=_keep_carried)


def _keep_carried() -> None:
    result, labels = st.session_state[_RESULT], LINK.current().view.labels
    try:
        kept.keep_carried(result, reviews.known(result, labels), author(), workspace())
    except AtlasError as error:
        notice.tell(_PART, error)
        return
    _REVIEW.set(accepted=(), rejected=(), relabelled=())


def _nearest(result: InfluenceResult, image: int) -> None:
    near = one.neighbours(result, image, _FEW)
    said = [result.class_names[result.labels[i]] for i in near]
    names = [f"training {media.noun(result.pack)} {i}, labelled {name}" for i, name in zip(near, said, strict=True)]
    pictures(result.pack, near.tolist(), said, names, head="Nearest to it in the kernel, with their labels")


def _next(result: InfluenceResult, found: reviews.Review, labels: LabelsView, image: int, revision: int) -> None:
    """The images around the one under review in the ranking."""
    place = np.flatnonzero(found.queue == image)
    start = max(0, min((int(place[0]) if len(place) else 0) - _BEFORE, len(found.queue) - _SHOWN))
    gallery(
        [_card(result, found, labels, int(i), image) for i in found.queue[start : start + _SHOWN]],
        base=media.thumbnail_base(result.pack),
        key=_GALLERY,
        revision=revision,
        opens=Opens(_go, "review it"),
        empty="There is no image to review.",
        cell=84,
    )


def _card(result: InfluenceResult, found: reviews.Review, labels: LabelsView, image: int, now: int) -> Card:
    name = result.class_names[result.labels[image]]
    what = reviews.decision(labels, image)
    mark = "" if what is None else _WORDS.get(what[0]) or f"→ {result.class_names[what[1]]}"
    unseen = result.class_names[found.unseen[image]]
    title = (
        f"Training {media.noun(result.pack)} {image}, {result.ids[image]}: labelled {name}; the network that has not seen it takes it for "
        f"{unseen}. "
        f"{SUSPICIONS[labels.by]}: {words.number(float(found.scores[labels.by][image]), 6)}. {mark or 'Not decided.'}"
    )
    value = words.number(float(found.scores[labels.by][image]))
    return Card(image, name + (" ◂" if image == now else ""), "" if unseen == name else f"→ {unseen}?", mark or value, "", True, title)
