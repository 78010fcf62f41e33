"""The analysis bar of the duplicates page: the images, and how many are held out."""

from typing import Any

import streamlit as st
from pydantic import ValidationError

from ntkcore.specs.duplicates import DuplicatesSpec, DuplicatesView
from pages.shared import bar, words
from pages.shared.choice import Choice
from pages.shared.fields import Fields

_BAR = Fields("duplicates.bar")


def analysis_bar(choice: Choice[DuplicatesSpec, DuplicatesView]) -> DuplicatesSpec | None:
    """Show the bar and return what it says, or None (said on the page) when the parts contradict each other."""
    return bar.analysis_bar(_BAR, choice, {"test": choice.spec.test}, _read, _parts)


def _parts(spec: DuplicatesSpec) -> tuple[bar.Part, ...]:
    held = words.spoken(f"{spec.test:,} images held out") if spec.test else "Nothing held out"
    return (
        bar.data_part(_BAR, spec, images="Those to train on, drawn at random; choose all to look through the whole set."),
        bar.Part("bar_held", ":material/call_split:", held, _held),
    )


def _held() -> None:
    told = words.spoken("Drawn after the others, as the pages that train do; a copy of one of those is a leak. 0: none.")
    st.number_input(words.spoken("Held-out images"), 0, 10_000, step=50, **_BAR.value("test"), help=told)


def _read(held: DuplicatesSpec) -> DuplicatesSpec | str:
    values: dict[str, Any] = {"dataset": bar.read_data(_BAR, held.dataset), "test": _BAR["test"]}
    try:
        return DuplicatesSpec.model_validate(values)
    except ValidationError as error:
        return bar.contradiction(error)
