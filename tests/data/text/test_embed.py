"""Vectors of texts against their definitions, written out slowly in NumPy."""

import numpy as np
import pytest
from reviews import REVIEWS

from ntkcore.data.text.embed import mean_vectors, tfidf_vectors
from ntkcore.data.text.words import words
from ntkcore.errors import DataError

TEXTS = [text for text, _ in REVIEWS]


@pytest.fixture
def file(tmp_path):
    """Vectors of all words of the reviews but some, and of the pieces that GloVe has."""
    vocabulary = [*sorted({word for text in TEXTS for word in words(text)} - {"didn't", "isn't", "superb"}), "did", "n't"]
    numbers = np.random.default_rng(0).standard_normal((len(vocabulary), 7)).round(4)
    lines = [f"{word} {' '.join(map(str, row))}" for word, row in zip(vocabulary, numbers.tolist(), strict=True)]
    (tmp_path / "v.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path / "v.txt", dict(zip(vocabulary, numbers, strict=True))


def test_the_mean_of_word_vectors_is_its_definition(file):
    path, vector = file
    made = mean_vectors(TEXTS, path)
    total = known = 0
    for text, found in zip(TEXTS, made.vectors, strict=True):
        rows = []
        for word in words(text):
            total += 1
            if word == "didn't":
                rows += [vector["did"], vector["n't"]]
            elif word == "isn't":
                rows += [vector["n't"]]  # "is" is a word of the reviews, and stands among the vectors
                rows += [vector["is"]]
            elif word in vector:
                rows.append(vector[word])
            else:
                continue
            known += 1
        np.testing.assert_allclose(found, np.mean(rows, axis=0), rtol=0, atol=2e-7 * np.abs(rows).max())
    assert f"{100 * known / total:.1f} % of the {total:,} words are among the {len(vector):,} of the file" in made.notes[0]


def test_texts_without_a_known_word_and_words_that_cancel_have_no_vector(tmp_path):
    (tmp_path / "v").write_text("up 1 2\ndown -1 -2\nleft 3 1\n")
    made = mean_vectors(["left up", "unknown words", "up down", "123"], tmp_path / "v")
    np.testing.assert_allclose(made.vectors, [[2, 1.5], [0, 0], [0, 0], [0, 0]])


def tfidf_slowly(texts):
    """scikit-learn's formulas, word by word: (1 + ln tf)(1 + ln((1 + n)/(1 + df))), each row of length 1."""
    counts = [{word: words(text).count(word) for word in words(text)} for text in texts]
    df = {word: sum(word in count for count in counts) for count in counts for word in count}
    kept = sorted(word for word, many in df.items() if many >= 2)
    rows = np.zeros((len(texts), len(kept)))
    for i, count in enumerate(counts):
        for j, word in enumerate(kept):
            if word in count:
                rows[i, j] = (1 + np.log(count[word])) * (1 + np.log((1 + len(texts)) / (1 + df[word])))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


@pytest.mark.parametrize("dimensions", [10, 39])
def test_tfidf_and_svd_keep_the_geometry_of_the_best_rank(dimensions):
    made = tfidf_vectors(TEXTS, dimensions)
    rows = tfidf_slowly(TEXTS)
    left, values, _ = np.linalg.svd(rows, full_matrices=False)
    best = left[:, :dimensions] * values[:dimensions]
    best /= np.linalg.norm(best, axis=1, keepdims=True)
    # Singular vectors may change sign or turn where values are close: products between texts do not. The randomised SVD is exact
    # where it keeps nearly everything, and near the best where the values fall off slowly.
    tolerance = 1e-6 if dimensions == 39 else 0.02
    np.testing.assert_allclose(made.vectors @ made.vectors.T, best @ best.T, atol=tolerance)
    np.testing.assert_allclose(np.linalg.norm(made.vectors, axis=1), 1, atol=1e-6)
    assert made.vectors.shape == (40, dimensions)


def test_the_same_texts_give_the_same_bytes():
    assert tfidf_vectors(TEXTS, 20).vectors.tobytes() == tfidf_vectors(TEXTS, 20).vectors.tobytes()


def test_no_more_dimensions_than_the_texts_have():
    made = tfidf_vectors(TEXTS[:6], 100)
    assert made.vectors.shape[1] <= 5
    assert "(100 were asked for, and these texts have no more)" in made.notes[0]
    assert "without the labels" in made.notes[0]


def test_a_text_whose_words_no_other_has_gets_no_vector():
    made = tfidf_vectors([*TEXTS, "Zwölf Boxkämpfer jagen Viktor"], 10)
    assert not made.vectors[-1].any()
    assert made.vectors[:-1].any(axis=1).all()


@pytest.mark.parametrize("texts", [["one", "two"], ["123", "456"], ["same word here", "other thing"]])
def test_texts_without_common_words_are_refused(texts):
    with pytest.raises(DataError, match="words occur in two texts or more"):
        tfidf_vectors(texts, 10)


def test_the_share_read_is_told():
    seen = []
    tfidf_vectors(TEXTS * 4, 5, seen.append)
    assert seen == [64 / 160, 128 / 160]
