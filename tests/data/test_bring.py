from reviews import REVIEWS, write_reviews

from ntkcore.data import Columns, TextWishes, import_set


def test_the_content_decides_what_is_imported(make, local, tmp_path):
    texts = import_set(write_reviews(tmp_path / "named.zip"), local, name="a", texts=TextWishes(dimensions=3))
    assert (texts.kind, texts.shape) == ("texts", (3,))
    images = import_set(make.zip(tmp_path / "named.csv", make.classes()), local, name="b", side=16)
    assert (images.kind, images.shape) == ("images", (1, 16, 16))


def test_wishes_for_texts_reach_them(local, tmp_path):
    path = write_reviews(tmp_path / "t", REVIEWS, header=("one", "two"))
    (tmp_path / "v").write_text("film 1 2\nstory 2 1\nmusic 1 1\n")
    report = import_set(path, local, name="a", texts=TextWishes(Columns("one", "two"), tmp_path / "v"))
    assert report.shape == (2,)
    assert import_set(path, local, name="a", texts=TextWishes(Columns("one", "two"))).shape != (2,)
