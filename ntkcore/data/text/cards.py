"""A small drawing of each text, for whatever shows a data set's samples as images; pages show the text itself."""

import textwrap
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 96
_WIDTH, _HEIGHT = 6, 11  # pixels of a letter
_COLUMNS, _LINES = SIDE // _WIDTH - 1, SIDE // _HEIGHT - 1
_LEFT, _TOP = (SIDE - _COLUMNS * _WIDTH) // 2, (SIDE - _LINES * _HEIGHT) // 2
_LETTERS = 256  # the font knows those of Latin-1
_OTHER = ord("?")
_BLOCK = 1000  # texts drawn at a time
_CUT = 4 * _COLUMNS * _LINES  # characters looked at: what comes after never fits


def drawings(texts: Sequence[str]) -> NDArray[np.uint8]:
    """The beginning of each text in black on white, uint8 ``(n, 96, 96)``; letters beyond Latin-1 are question marks.

    Each letter is drawn once and copied from then on: a hundred times faster than laying out every text anew.
    """
    cards = np.full((len(texts), SIDE, SIDE), 255, np.uint8)
    for first in range(0, len(texts), _BLOCK):
        inside = _drawn(texts[first : first + _BLOCK])
        cards[first : first + _BLOCK, _TOP : _TOP + inside.shape[1], _LEFT : _LEFT + inside.shape[2]] = inside
    return cards


def _drawn(texts: Sequence[str]) -> NDArray[np.uint8]:
    codes = np.full((len(texts), _LINES, _COLUMNS), ord(" "), np.int64)
    for card, text in zip(codes, texts, strict=True):
        for row, line in zip(card, textwrap.wrap(text[:_CUT], _COLUMNS, max_lines=_LINES, placeholder=" ..."), strict=False):
            row[: len(line)] = [ord(letter) for letter in line]
    codes[codes >= _LETTERS] = _OTHER
    letters = _letters()[codes]  # (n, lines, columns, height, width)
    return letters.transpose(0, 1, 3, 2, 4).reshape(len(texts), _LINES * _HEIGHT, _COLUMNS * _WIDTH)


@lru_cache(maxsize=1)
def _letters() -> NDArray[np.uint8]:
    """The font that Pillow brings, uint8 ``(256, height, width)``: black on white."""
    font = ImageFont.load_default_imagefont()
    bank = np.full((_LETTERS, _HEIGHT, _WIDTH), 255, np.uint8)
    for code in range(ord(" "), _LETTERS):
        image = Image.new("L", (_WIDTH, _HEIGHT), 255)
        ImageDraw.Draw(image).text((0, 0), chr(code), fill=0, font=font)
        bank[code] = np.asarray(image)
    return bank
