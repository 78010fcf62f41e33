"""Numbers, times and sizes as a person reads them: the same in the sentences of an analysis, on a page and in a terminal."""

import math
import re
from collections.abc import Sequence

_IMAGE = re.compile(r"(?<!mirror )(?<![\w/.\\-])(?:([Aa])n )?([Ii])mage(s?)\b(?![/=-]|\.\w)")
_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, as a person writes it: 0.042, 8.1·10⁴, ∞."""
    if value is None or math.isnan(value):
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    text = f"{value:.{digits}g}"
    mantissa, exponent, power = text.partition("e")
    if exponent and -4 <= int(power) <= max(digits, 3):  # 1.23e+03 is 1230
        return f"{float(text):.0f}".replace("-", "−")
    return (mantissa + (f"·10{str(int(power)).translate(_RAISED)}" if exponent else "")).replace("-", "−")


def told_apart(values: Sequence[float]) -> dict[float, str]:
    """A text for each of some different numbers: as few digits, from three on, as no other of them would be written with alike."""

    def text(value: float) -> str:
        written = (([number(other, digits) for other in values], number(value, digits)) for digits in range(3, 18))
        return next(own for all_of_them, own in written if all_of_them.count(own) == 1)

    return {value: text(value) for value in values}


def signed(value: float, decimals: int = 2) -> str:
    """A signed number with so many decimals and a true minus sign."""
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", "−")  # + 0.0: no negative zero


def fixed(value: float | None, digits: int = 2) -> str:
    """A number with so many decimals and a true minus sign; "–" where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}".replace("-", "−")


def exact(value: float, form: str = ".6g") -> str:
    """A signed number in a format's digits and with a true minus sign."""
    return f"{value:+{form}}".replace("-", "−")


def change(value: float) -> str:
    """A signed change of a loss."""
    return ("+" if value > 0 else "") + number(float(value), 3)


def duration(seconds: float | None) -> str:
    """Seconds as a person says them."""
    if seconds is None or not math.isfinite(seconds):
        return "unknown"
    if seconds < 1:
        return "under a second"
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """Bytes as a person says them."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if count >= scale:
            return f"{count / scale:.1f} {unit}" if count < 100 * scale else f"{count / scale:.0f} {unit}"
    return f"{count:.0f} B"


def percent(rate: float, digits: int | None = None) -> str:
    """A share or an error rate as a person writes it: with two significant digits below 100 % and three beyond, or with so many."""
    return "–" if math.isnan(rate) else f"{number(100 * rate, digits or (2 if rate < 1 else 3))} %"


def share(value: float) -> str:
    """A share, in percent with one decimal; "–" for NaN."""
    return "–" if math.isnan(value) else f"{100 * value:.1f} %"


def labelled(label: str, truly: str) -> str:
    """An image's label, and what it truly is where that differs: 3 (flipped; truly 8)."""
    return label if label == truly else f"{label} (flipped; truly {truly})"


def place(device: str) -> str:
    """Where something was computed."""
    return "the CPU" if device == "cpu" else device


def as_texts(text: str) -> str:
    """A sentence or a label of ours about images, speaking of texts."""
    return _IMAGE.sub(lambda found: (f"{found[1]} " if found[1] else "") + ("T" if found[2] == "I" else "t") + "ext" + found[3], text)
