"""Tables as CSV that a spreadsheet shows and does not run."""

import re
from typing import Any

import pandas as pd

# with what a spreadsheet takes for a formula, the wide signs of Chinese and Japanese keyboards too, and what it passes over before it
_RUNS = re.compile(r"[\t\r\n]|\s*[=+\-@＝＋－＠]")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|[+-]?(inf|nan)", re.IGNORECASE)


def csv_of(table: pd.DataFrame) -> str:
    """A table as CSV, without its index: an apostrophe stands before each text that a spreadsheet would run as a formula.

    Names of images, classes and texts are strangers' words. Numbers stay numbers, also those that are written as text; line breaks within a
    cell are line feeds.
    """
    safe = table.copy(deep=False)
    for column in table.columns:
        if _may_hold_text(table[column]):
            safe[column] = table[column].map(_defused, na_action="ignore")
    return str(safe.rename(columns=_defused).to_csv(index=False))


def _may_hold_text(column: pd.Series) -> bool:
    return not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_datetime64_any_dtype(column))


def _defused(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    value = value.replace("\r\n", "\n").replace("\r", "\n")  # which pandas would not quote: the next cell would begin a row
    if _RUNS.match(value) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
