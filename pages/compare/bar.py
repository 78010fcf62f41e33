"""The two bars of the compare page: the images and A's kernel, B's kernel below it, each with its λ; what differs is marked."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.analyses.compare.differences import differences, partners, suggestions
from ntkcore.analyses.workspace import workspace
from ntkcore.data import own_sets
from ntkcore.specs import VECTOR_SETS
from ntkcore.specs.compare import CompareSpec, CompareView
from ntkcore.specs.influence import LARGEST_RIDGE, InfluenceSpec
from pages.compare.choice import LINK, against, swap
from pages.shared import bar, words
from pages.shared.choice import Choice
from pages.shared.controls import Controls
from pages.shared.fields import Fields
from pages.shared.regression.bar import analysis_bar, data_part, kernel_parts, read_kernel, values_of

_RIDGES = Controls("compare.ridge", LINK)
_MARK = " :orange[**≠**]"
_UNSAID = ("seed", "initialisation", "precision", "start of the head", "statistics of batch normalisation", "seed of the order")
_PARTS = {"kernel": "bar_kernel", "training": "bar_training", "size": "bar_size", "ridge": "bar_ridge"}


def compare_bars(choice: Choice[CompareSpec, CompareView]) -> CompareSpec | None:
    """Show both bars and return what they say, or None (said on the page) when parts contradict each other."""
    view = choice.view
    _RIDGES.seed("bars", "ridge", b_ridge=view.ridges[1])
    fields = Fields("compare.bar"), Fields("compare.other")
    with _row("A"):
        one = analysis_bar(Choice(choice.spec.one, view, choice.revision), "compare", parts=partial(_parts_of_a, fields[0], choice))
    if one is None:
        return None
    with _row("B"):
        two = bar.analysis_bar(
            fields[1],
            Choice(choice.spec.two, view, choice.revision),
            values_of(choice.spec.two),
            partial(_read, fields[1], one),
            partial(_parts_of_b, fields[1], one, view),
            of=(one.dataset.name, one.dataset.own),
            key="b_analysis_bar",
        )
        _deeds(one)
    return None if two is None else CompareSpec.of(one, two)


def _row(name: str) -> Any:
    row = st.container(horizontal=True, gap="small", vertical_alignment="center", key=f"compare_{name}")
    with row:
        st.html(f'<p class="atlas-side">{name}</p>', width="content")
    return row


def _parts_of_a(fields: Fields, choice: Choice[CompareSpec, CompareView], spec: InfluenceSpec) -> Sequence[bar.Part]:
    return data_part(fields, spec), *kernel_parts(fields, spec), _ridge_part("ridge", "A", choice.view.ridge)


def _parts_of_b(fields: Fields, one: InfluenceSpec, view: CompareView, spec: InfluenceSpec) -> Sequence[bar.Part]:
    told: dict[str, list[str]] = {}
    for found in differences(CompareSpec.of(one, spec), view):
        told.setdefault(_PARTS[found.part], []).extend([f"{found.title} {found.two}"] if found.title in _UNSAID else [])
    parts = [*kernel_parts(fields, spec, side="b_", held=False), *_size_parts(fields, spec), _ridge_part("b_ridge", "B", view.ridges[1])]
    return [_marked(part, told.get(part.key.removeprefix("b_"))) for part in parts]


def _marked(part: bar.Part, unsaid: list[str] | None) -> bar.Part:
    """A part that differs from A's, with what its summary does not say; None: it does not differ."""
    if unsaid is None:
        return part
    return replace(part, summary=", ".join([part.summary, *map(words.plain, unsaid)]) + _MARK)


def _size_parts(fields: Fields, spec: InfluenceSpec) -> list[bar.Part]:
    """The size that images have for B's network, where they are pictures."""
    kinds = {item.content_id: item.kind for item in own_sets(workspace().settings)}
    if spec.dataset.name in VECTOR_SETS or kinds.get(spec.dataset.own or "") == "texts":
        return []
    size = spec.dataset.size
    summary = f"{size} × {size} pixels" if size else "Own size"
    return [bar.Part("b_bar_size", ":material/photo_size_select_large:", summary, partial(bar.size_field, fields))]


def _ridge_part(name: str, side: str, ridge: float) -> bar.Part:
    def show() -> None:
        of_b = {"read": lambda value: None if value == LINK.current().view.ridge else value} if name == "b_ridge" else {}
        told = "Of every number that depends on it: the kernel regression’s, at the end of training." + (
            " Where it is A’s, it follows A’s." if of_b else ""
        )
        _RIDGES.control(name, st.number_input, f"Regularisation λ of {side}", 0.0, LARGEST_RIDGE, format="%g", help=told, **of_b)

    key = "bar_ridge" if name == "ridge" else "b_bar_ridge"
    return bar.Part(key, ":material/tune:", f"λ = {ridge:g}", show)


def _read(fields: Fields, one: InfluenceSpec, held: InfluenceSpec) -> InfluenceSpec | str:
    """B as the widgets say it, on A's images, or what is contradictory about it."""
    images = {name: value for name, value in one.dataset.model_dump().items() if name not in ("size", "crop", "interpolation")}
    values = {"dataset": images | bar.read_sizing(fields), "test": one.test} | read_kernel(fields, held)
    try:
        return InfluenceSpec.model_validate(values)
    except ValidationError as error:
        return bar.contradiction(error)


def _deeds(one: InfluenceSpec) -> None:
    """What is done with B: swapped with A, or replaced by something that is often asked, or stored."""
    st.button("Swap", icon=":material/swap_vert:", key="compare_swap", on_click=swap, type="tertiary", help="A becomes B, and B becomes A.")
    with st.popover("Compare A with …", icon=":material/compare_arrows:", key="compare_with", type="tertiary"):
        stored = partners(one, workspace())
        st.caption("B becomes A with one thing changed:")
        _offers(suggestions(one), "suggested")
        if stored:
            st.caption(words.spoken("Stored on the same images:"))
            _offers(stored, "stored")


def _offers(found: dict[str, InfluenceSpec], kind: str) -> None:
    with st.container(gap=None):
        for place, (title, two) in enumerate(found.items()):
            st.button(words.plain(title), key=f"compare_{kind}_{place}", on_click=against, args=(two,), type="tertiary")
