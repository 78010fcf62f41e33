"""What every page on an analysis is: the choice, from the address and the bar, then the state that the analysis is in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.workspace import workspace
from ntkcore.data import own_sets
from ntkcore.errors import AtlasError, CorruptArtifact, DataMissing
from ntkcore.library import asking
from ntkcore.specs import DatasetSpec, Spec
from pages import entry
from pages.shared import frame, missing, saved, words
from pages.shared.choice import Choice, Link
from pages.shared.standing import mend, standing

S = TypeVar("S", bound=Spec)
V = TypeVar("V", bound=Spec)


@dataclass(frozen=True)
class Page(Generic[S, V]):
    """A page on an analysis.

    Attributes:
        name: its entry in ``pages.PAGES``.
        link: its choice.
        bar: shows the analysis bar and returns what it says; None when that is contradictory, and said.
        analysis: what it shows.
        result: shows a result.
        states: shows the analysis in whatever state, where that is more than a result: None, where ``result`` is all.
    """

    name: str
    link: Link[S, V]
    bar: Callable[[Choice[S, V]], S | None]
    analysis: Analysis[S, V, Any]
    result: Callable[[Any], None]
    states: Callable[[S], None] | None = None

    def draw(self) -> None:
        """Show it; here are its states in which there is nothing to show: bad address, contradictory choice, damage, missing data."""
        try:
            choice = self.link.opened()
        except AtlasError as error:
            heading(self.name)
            frame.show_error(error)
            st.button("Start from the defaults", on_click=self.link.forget, type="primary")
            return
        words.speak_of(_kind(choice.spec.dataset))
        heading(self.name)
        if self.link.carries:
            st.caption(words.spoken("The basket cannot be kept at the moment: this page's address carries what is ticked, until it can."))
        under = st.container()
        spec = self.bar(choice)
        if spec is None:
            return
        self.link.choose(spec)
        with under:
            saved.line(self.link, self.analysis)
        try:
            self._stand(spec)
        except DataMissing as error:
            missing.offer_download(error, spec.dataset.name)
        except AtlasError as error:
            frame.show_error(error)

    def _stand(self, spec: S) -> None:
        try:
            if self.states is not None:
                self.states(spec)
            elif (found := standing(self.analysis, spec)) is not None:
                self.result(found)
        except CorruptArtifact as damage:  # met while showing it
            mend(self.analysis, spec, damage)


def _kind(chosen: DatasetSpec) -> str:
    """What a set is made of."""
    mine = own_sets(workspace().settings) if chosen.own is not None else ()
    return next((item.kind for item in mine if item.content_id == chosen.own), "images")


def heading(name: str) -> None:
    """A page's title and the one sentence that says what it answers."""
    page = entry(name)
    try:
        asking.require(page.action)
    except AtlasError as error:
        frame.show_error(error)
        st.stop()
    frame.heading(page.heading or page.title, page.lead)
    if (damage := workspace().library.problem()) is not None:
        frame.show_error(damage)
