"""Links to the information page: everything chosen survives."""

from hypothesis import given
from hypothesis import strategies as st
from strategies import through_an_address
from test_permalink_influence import influence_specs

from ntkcore.permalink import ADDRESSES
from ntkcore.specs.information import MEASURES, InformationView


@st.composite
def information_views(draw: st.DrawFn) -> InformationView:
    some = st.sets(st.integers(0, 50_000), max_size=30).map(lambda chosen: tuple(sorted(chosen)))
    return InformationView(
        ask=draw(st.sampled_from(["informative", "mislabelled", "drop", "sources", "groups", "believe"])),
        ridge=draw(st.floats(0, 1e6)),
        time=draw(st.none() | st.floats(1e-12, 1e12)),
        show=draw(st.sampled_from(["most", "least"])),
        every=draw(st.booleans()),
        only=draw(st.lists(st.text(min_size=1, max_size=8), max_size=3).map(tuple)),
        against=draw(st.sampled_from(list(MEASURES))),
        picked=draw(some),
        basket=draw(some),
        image=draw(st.none() | st.integers(0, 10_000)),
    )


@given(influence_specs(), information_views())
def test_round_trip(spec, view):
    assert ADDRESSES["information"].read(through_an_address(ADDRESSES["information"].write(spec, view))) == (spec, view)


def test_every_field_of_the_view_has_a_name_in_the_address():
    def leaves(kind, before=()):
        for name, field in kind.model_fields.items():
            inner = field.annotation
            if isinstance(inner, type) and hasattr(inner, "model_fields"):
                yield from leaves(inner, (*before, name))
            else:
                yield (*before, name)

    said = list(ADDRESSES["information"].view_fields.values())
    assert all(any(path[: len(leaf)] == leaf for path in said) for leaf in leaves(InformationView))
