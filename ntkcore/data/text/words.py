"""Words of a text, and the pieces that word vectors know of a contracted one."""

import re
import sys
import unicodedata
from functools import lru_cache

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")  # of ASCII alone
_CLITIC = re.compile(r"(.+?)(n't|'(?:s|re|ve|ll|d|m))")
# joiners, direction marks and soft hyphens: how letters are drawn, and not which
_INVISIBLE = dict.fromkeys([0xAD, 0x034F, 0x200C, 0x200D, 0x200E, 0x200F, 0x2060, 0xFEFF])


def words(text: str) -> list[str]:
    """The words of a text in order, in lower case and normal form C: runs of letters with their marks, with apostrophes inside.

    Made for languages that put spaces between words; digits, punctuation and marks of layout separate.
    """
    lowered = spelled(text.lower())
    return [word.replace("’", "'") for word in (_WORD if lowered.isascii() else _word_with_marks()).findall(lowered)]


def spelled(text: str) -> str:
    """One spelling of letters that have several: é as one character and as e with an accent, with and without joiners."""
    return text if text.isascii() else unicodedata.normalize("NFC", text.translate(_INVISIBLE))


@lru_cache(maxsize=1)
def _word_with_marks() -> re.Pattern[str]:
    r"""``\w`` leaves out the marks that are combined with letters: the vowels of Indian scripts, Thai, pointed Hebrew and Arabic."""
    marks = [chr(code) for code in range(0x300, sys.maxunicode + 1) if unicodedata.category(chr(code)).startswith("M")]
    near, far = ("".join(mark for mark in marks if (mark > "\uffff") == beyond) for beyond in (False, True))
    # a class with characters beyond the first plane is searched from end to end: only where there is one
    letters = rf"(?:[^\W\d_]+(?:[{near}]|(?=[\U00010000-\U0010ffff])[{far}])*)+"
    return re.compile(rf"{letters}(?:['’]{letters})*")


def pieces(word: str) -> tuple[str, ...]:
    """A contracted word as the Penn Treebank cuts it, ``"don't"`` into ``"do"`` and ``"n't"``; ``()`` for any other.

    GloVe's vectors are of texts cut so: without it every negation by "n't" would be lost.
    """
    cut = _CLITIC.fullmatch(word)
    return (cut[1], cut[2]) if cut else ()
