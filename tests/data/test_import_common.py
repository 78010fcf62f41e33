import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ntkcore.data.import_common import Limits, keep_used_classes, unique_ids
from ntkcore.settings import Settings


@given(st.lists(st.integers(0, 5), min_size=1, max_size=40))
def test_unused_classes_go_and_the_rest_keep_their_images(labels):
    names = tuple("abcdef")
    kept, kept_names, notes = keep_used_classes(np.array(labels), names)
    assert [kept_names[label] for label in kept] == [names[label] for label in labels]
    assert set(kept_names) == {names[label] for label in labels}
    assert bool(notes) == (len(kept_names) < 6)


def test_ids_are_made_unique():
    assert unique_ids(["a", "b"]) == ("a", "b")
    assert unique_ids(["a", "a"]) == ("0/a", "1/a")


def test_limits_follow_the_settings():
    limits = Limits.of(Settings(image_pixels=1000, upload_limit=10_000, job_memory=20_000))
    assert limits.pixels == 1000
    assert limits.total_bytes == 40_000
    assert limits.text_bytes == 1000
