"""The code an explainer shows does what the page did."""

import ast
import shlex
from pathlib import Path

import pytest

import ntkcore
from ntkcore.analyses.explainer import Explainer, command_line, python_lines
from ntkcore.permalink import ADDRESSES
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.specs.learnability import LearnabilitySpec

ROOT = Path(ntkcore.__file__).parents[1]
EXPLAINED = sorted((*ROOT.glob("ntkcore/analyses/*/explain.py"), *ROOT.glob("pages/*/explain.py")))
COMPARISON = ConvergenceSpec.model_validate(
    {"dataset": {"classes": ("0", "a, b", "2"), "n": 60}, "widths": (8, 32), "looks": (0, 3), "ridge": 0.5}
)
RANKING = LearnabilitySpec.model_validate({"dataset": {"classes": ("7", "9")}, "training": {"weight_decay": 0.01}})
PAGES = [
    ("convergence", "comparison_table", ADDRESSES["convergence"].write(COMPARISON), ADDRESSES["convergence"].read, COMPARISON),
    ("learnability", "ranking", ADDRESSES["learnability"].write(RANKING), ADDRESSES["learnability"].read, RANKING),
]


def explainer(analysis, show, query):
    return Explainer(what="", source="", read="", aside="", silent="", analysis=analysis, show=show, query=query)


@pytest.mark.parametrize(("analysis", "show", "query", "read", "spec"), PAGES)
def test_python_lines_ask_for_the_same(analysis, show, query, read, spec):
    from ntkcore import notebook

    lines = python_lines(explainer(analysis, show, query))
    assert callable(getattr(notebook, analysis))
    assert callable(getattr(notebook, show))
    call = next(node for node in ast.walk(ast.parse(lines)) if isinstance(node, ast.Call) and node.keywords)
    given = {word.arg: notebook._text(ast.literal_eval(word.value)) for word in call.keywords}
    assert read(given)[0] == spec


@pytest.mark.parametrize(("analysis", "show", "query", "read", "spec"), PAGES)
def test_the_command_is_understood(analysis, show, query, read, spec):
    from ntkcore.cli import _parser

    words = shlex.split(command_line(explainer(analysis, show, query)))
    assert words[:4] == ["python", "-m", "ntkcore", analysis]
    options = _parser().parse_args(words[3:])
    for name in query:
        assert getattr(options, name) is not None


@pytest.mark.parametrize("path", EXPLAINED, ids=lambda path: path.parent.name)
def test_a_formula_of_several_lines_stands_between_lines_of_its_own(path):
    """Streamlit shows any other as its source, in red."""
    for line in path.read_text().splitlines():
        assert line.count("$$") % 2 == 0 or line.strip() == "$$", line
