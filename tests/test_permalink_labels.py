"""Decisions on labels in an address: everything survives, compactly, and what is no set of decisions is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.errors import SpecError
from ntkcore.permalink import ADDRESSES
from ntkcore.permalink.ranges import read_labels, write_labels
from ntkcore.specs.detection import SUSPICIONS, LabelsView
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView


@st.composite
def labels_views(draw: st.DrawFn) -> LabelsView:
    images = draw(st.lists(st.integers(0, 5000), unique=True, max_size=60))
    deeds = [draw(st.sampled_from("axr")) for _ in images]
    kinds = {deed: sorted(image for image, done in zip(images, deeds, strict=True) if done == deed) for deed in "axr"}
    return LabelsView(
        by=draw(st.sampled_from(list(SUSPICIONS))),
        first=draw(st.integers(0, 1000)),
        at=draw(st.none() | st.integers(0, 5000)),
        accepted=tuple(kinds["a"]),
        rejected=tuple(kinds["x"]),
        relabelled=tuple((image, draw(st.integers(0, 99))) for image in kinds["r"]),
        share=draw(st.floats(0.01, 0.9)),
        seeds=draw(st.integers(1, 50)),
    )


@given(labels_views())
def test_round_trip(labels: LabelsView) -> None:
    view = InformationView(labels=labels)
    assert ADDRESSES["information"].read(ADDRESSES["information"].write(InfluenceSpec(), view))[1] == view


def test_a_thousand_decisions_stay_short() -> None:
    pairs = [(image, image % 2) for image in range(0, 3000, 3)]
    text = write_labels(pairs)
    assert len(text) < 1200 and sorted(read_labels(text)) == pairs


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ({"labels-relabelled": "3"}, "is not a class and its images"),
        ({"labels-relabelled": "1~4-2"}, "runs backwards"),
        ({"labels-accepted": "3", "labels-rejected": "1-5"}, "image 3 is decided in two ways"),
        ({"labels-by": "hunch"}, "labels-by"),
        ({"labels-share": "1"}, "labels-share"),
    ],
)
def test_what_is_no_review_is_refused(query: dict[str, str], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        ADDRESSES["information"].read(query)
