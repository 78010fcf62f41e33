"""From texts to vectors: the mean of word vectors, or TF-IDF and a truncated singular value decomposition.

Neither sees a label. The mean of each text's word vectors depends on that text alone (Unique-info, A.7, with GloVe's 300
dimensions). The decomposition is one of all texts given, held-out ones among them.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ntkcore.data.text.vectors import read_vectors
from ntkcore.data.text.words import pieces, words
from ntkcore.errors import DataError

Told = Callable[[float], None]

DIMENSIONS = 100
MOST_DIMENSIONS = 1000
_LEAST_TEXTS = 2  # that a word of TF-IDF must occur in
_NONE = 1e-6  # a length, beside one of about 1, below which there is only rounding left
_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """The vectors of some texts.

    Attributes:
        vectors: float32 ``(n, d)``; a row of zeros for a text that has none.
        missing: why such a text has none, a few words.
        notes: how they were made, in sentences.
    """

    vectors: NDArray[np.float32]
    missing: str
    notes: tuple[str, ...]


def mean_vectors(texts: Sequence[str], path: Path, told: Told | None = None) -> Embedded:
    """The mean of the vectors of each text's words, a repeated word counted each time.

    A word that the file does not have counts by the pieces that it has of it ("didn't": "did" and "n't"), else not at all.

    Raises:
        DataError: as :func:`~ntkcore.data.text.vectors.read_vectors`.
    """
    counted = [Counter(words(text)) for text in texts]
    found = set().union(*counted)
    known = read_vectors(path, found | {piece for word in found for piece in pieces(word)}, told)
    rows, columns, values, total, used = [], [], [], 0, 0
    for row, counts in enumerate(counted):
        for word, count in counts.items():
            stands = [word] if word in known.place else [piece for piece in pieces(word) if piece in known.place]
            total, used = total + count, used + count * bool(stands)
            for part in stands:
                rows.append(row)
                columns.append(known.place[part])
                values.append(count)
    # several words may stand for one row of the vectors: such entries add up
    weights = sp.csr_array((np.array(values, np.float64), (rows, columns)), shape=(len(texts), len(known.vectors)))
    means = (weights @ known.vectors.astype(np.float64)) / np.maximum(weights.sum(axis=1), 1)[:, None]
    lengths: NDArray[np.float64] = np.linalg.norm(means, axis=1)
    means[lengths <= _NONE * float(lengths.max())] = 0
    return Embedded(
        means.astype(np.float32),
        "none of its words is among the word vectors",
        (
            f"Each text is the mean of its words' vectors ({known.vectors.shape[1]} numbers); {100 * used / max(total, 1):.1f} % of the "
            f"{total:,} words are among the {known.lines:,} of the file.",
        ),
    )


def tfidf_vectors(texts: Sequence[str], dimensions: int, told: Told | None = None) -> Embedded:
    """TF-IDF (1 + log of a word's count; words of two texts or more) reduced by a truncated SVD, each row scaled to length 1.

    The decomposition is randomised from a fixed seed: the same texts on the same machine give the same bytes.

    Args:
        texts: n texts.
        dimensions: how many singular vectors are kept, at most n - 1 and one less than there are words.
        told: called with the share of the texts that was read; may raise Cancelled.

    Raises:
        DataError: hardly any word occurs in two texts.
    """
    from sklearn.decomposition import TruncatedSVD  # takes a second, and only imports need it
    from sklearn.feature_extraction.text import TfidfVectorizer

    done = 0

    def read(text: str) -> list[str]:
        nonlocal done
        done += 1
        if told is not None and done % 64 == 0:
            told(done / len(texts))
        return words(text)

    common = Counter(word for text in texts for word in set(words(text)))
    size = sum(count >= _LEAST_TEXTS for count in common.values())
    kept = min(dimensions, len(texts) - 1, size - 1)
    if kept < 1:
        raise DataError(f"Only {size} words occur in two texts or more.", "Import more texts, or longer ones.")
    weights = TfidfVectorizer(analyzer=read, sublinear_tf=True, min_df=_LEAST_TEXTS).fit_transform(texts)
    reduced = TruncatedSVD(kept, random_state=_SEED).fit_transform(weights)
    lengths = np.linalg.norm(reduced, axis=1, keepdims=True)
    vectors = np.divide(reduced, lengths, out=np.zeros_like(reduced), where=lengths > _NONE)
    fewer = f" ({dimensions} were asked for, and these texts have no more)" if kept < dimensions else ""
    return Embedded(
        vectors.astype(np.float32),
        "no word of it occurs in another text",
        (
            f"Each text is its TF-IDF over {size:,} words, reduced to {kept} numbers{fewer} by a truncated SVD of the whole set, "
            "without the labels, and scaled to length 1.",
        ),
    )
