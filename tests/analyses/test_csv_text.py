"""Tables as CSV: no cell is a formula, and every number stays one."""

import ast
import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ntkcore.analyses.csv_text import csv_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1+1", "-1-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", " =1+1", "\xa0=1", "＝1", '=HYPERLINK("http://x")', "-cat", "+", "-"],
)
def test_what_a_spreadsheet_would_run_stands_behind_an_apostrophe(text):
    for column in (pd.Series([text, "cat"]), pd.Series([text, "cat"], dtype=object), pd.Series([text, "cat"], dtype="category")):
        read = pd.read_csv(io.StringIO(csv_of(pd.DataFrame({text: column}))), keep_default_na=False)
        assert read.columns[0] == f"'{text}".replace("\r", "\n")
        assert read.iloc[:, 0].tolist() == [read.columns[0], "cat"]


def test_a_line_break_in_a_cell_begins_no_row():
    read = pd.read_csv(io.StringIO(csv_of(pd.DataFrame({"text": ["a\r=1+1", "b\r\n=2", "c\n=3"]}))))
    assert read["text"].tolist() == ["a\n=1+1", "b\n=2", "c\n=3"]


def test_everything_else_is_as_pandas_writes_it():
    rows = pd.DataFrame(
        {
            "class": ["cat", "1", "-1", "+2.5", "-1e-3", "a=b", "", None, "2-1"],
            "score": [1.5, -2.0, np.nan, np.inf, -np.inf, 0.1, 1e-300, -0.0, 3.0],
            "image": np.arange(-4, 5),
            "kept": [True, False] * 4 + [True],
            "mixed": ["x", -1, -1.5, None, True, "-7", 3, "y", "z"],
        },
        index=[0, 0, 1, 2, 3, 4, 5, 6, 7],
    )
    assert csv_of(rows) == rows.to_csv(index=False)
    assert csv_of(rows[:0]) == rows[:0].to_csv(index=False)


def test_the_table_itself_is_left_as_it_is():
    rows = pd.DataFrame({"class": ["=1"]})
    csv_of(rows)
    assert rows["class"].tolist() == ["=1"]


def test_nothing_else_writes_csv():
    """Every download, of charts too, and the command line go through here."""
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("ntkcore", "pages")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in ("to_csv", "writerow", "writerows")
    ]
    assert found == ["ntkcore/analyses/csv_text.py"]
