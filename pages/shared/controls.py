"""Widgets that set a field of a page's view: key, value and change are bound in one place."""

from collections.abc import Callable, Sequence
from typing import Any

from ntkcore.specs import Spec
from pages.shared import words
from pages.shared.choice import Link
from pages.shared.fields import Fields

_BY_INDEX = ("selectbox", "radio")
_BY_DEFAULT = ("segmented_control", "multiselect", "pills")


class Controls:
    """The widgets of one part of a page.

    Args:
        part: what their keys begin with; keeps parts and pages apart.
        link: the page's choice.
        within: the part of the view that holds the fields, such as ``"groups"``; "" for the view itself.
        kept: fields of the view, and their values, that every change says, too.
    """

    def __init__(self, part: str, link: Link[Any, Any], within: str = "", kept: Callable[[], dict[str, Any]] = dict) -> None:
        self.fields, self._link, self._within, self._kept = Fields(part), link, within, kept

    @property
    def view(self) -> Any:
        """The view, or its part, as it is now."""
        view = self._link.current().view
        return getattr(view, self._within) if self._within else view

    def seed(self, of: object, *names: str, **others: Any) -> None:
        """Let the widgets begin with the view's values, when the choice came from elsewhere or is of something else.

        Args:
            of: what they are about, such as a result's key.
            names: the view's fields.
            others: widgets that begin with another value than their field's.
        """
        held = {name: getattr(self.view, name) for name in names} | others
        self.fields.seed((of, self._link.current().revision), held)

    def control(
        self,
        name: str,
        widget: Callable[..., Any],
        label: str,
        *args: Any,
        options: Sequence[Any] | None = None,
        read: Callable[[Any], Any] | None = None,
        elsewhere: bool = False,
        **told: Any,
    ) -> Any:
        """A widget that sets a field.

        Args:
            name: the field, and the widget's name.
            widget: of Streamlit or of a column: ``st.slider``, ``left.selectbox`` ...
            label, args, told: for the widget.
            options: of a choice.
            read: what of the widget's value the field is given; the value itself by default.
            elsewhere: whether other widgets must be set anew.

        Returns:
            The widget's value.
        """
        kind = widget.__name__
        label, told = words.spoken(label), told | ({"help": words.spoken(told["help"])} if told.get("help") else {})
        told = {"on_change": self._changed, "args": (name, read, elsewhere)} | told
        if options is None:
            return widget(label, *args, **self.fields.value(name), **told)
        if kind in _BY_INDEX:
            return widget(label, options, **self.fields.index(name, options), **told)
        if kind in _BY_DEFAULT:
            return widget(label, options, **self.fields.default(name), **told)
        return widget(label, options, **self.fields.value(name), **told)

    def set(self, elsewhere: bool = False, **changes: Any) -> None:
        """Change fields of the view, or of its part."""
        if self._within:
            held: Spec = self.view
            changes = {self._within: type(held).model_validate(held.model_dump() | changes)}
        self._link.look(elsewhere=elsewhere, **(self._kept() | changes))

    def __getitem__(self, name: str) -> Any:
        return self.fields[name]

    def _changed(self, name: str, read: Callable[[Any], Any] | None, elsewhere: bool) -> None:
        value = self.fields[name]
        if isinstance(value, list):
            value = tuple(value)
        self.set(elsewhere, **{name: value if read is None else read(value)})
