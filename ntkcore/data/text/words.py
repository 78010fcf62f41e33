"""Words of a text, and the pieces that word vectors know of a contracted one."""

import re

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_CLITIC = re.compile(r"(.+?)(n't|'(?:s|re|ve|ll|d|m))")


def words(text: str) -> list[str]:
    """The words of a text in order, in lower case: runs of letters, with apostrophes inside.

    Made for languages that put spaces between words; digits, punctuation and marks of layout separate.
    """
    return [word.replace("’", "'") for word in _WORD.findall(text.lower())]


def pieces(word: str) -> tuple[str, ...]:
    """A contracted word as the Penn Treebank cuts it, ``"don't"`` into ``"do"`` and ``"n't"``; ``()`` for any other.

    GloVe's vectors are of texts cut so: without it every negation by "n't" would be lost.
    """
    cut = _CLITIC.fullmatch(word)
    return (cut[1], cut[2]) if cut else ()
