"""What the numbers of an analysis mean, in texts that pages and reports show alike, and the code that makes them again."""

import shlex
from dataclasses import dataclass, field

from ntkcore.analyses.prepared import AS_IMPORTED
from ntkcore.data.names import quoted_class
from ntkcore.permalink import Query
from ntkcore.specs import by_name


@dataclass(frozen=True)
class Explainer:
    """What an analysis explains; texts are Markdown.

    Attributes:
        what, source: the equations, and where they are from.
        read, aside: how to read the charts, and a remark on it.
        silent: what the numbers do not say.
        analysis: the function of the notebook and the command that compute it; "" where people do, and there is no code.
        show: the notebook's function that shows the result.
        function: the notebook's function that computes it, where that has another name.
        query: what was chosen, by the names of the page's address.
    """

    what: str
    source: str
    read: str
    aside: str
    silent: str
    analysis: str = ""
    show: str = ""
    function: str = ""
    query: Query = field(default_factory=dict)


def python_lines(explainer: Explainer) -> str:
    """The lines that reproduce the result in a notebook."""
    arguments = ", ".join(f"{name.replace('-', '_')}={_literal(value)}" for name, value in _typed(explainer.query).items())
    called, show = explainer.function or explainer.analysis, explainer.show
    return f"from ntkcore.notebook import {called}, {show}\nresult = {called}({arguments})\n{show}(result)"


def command_line(explainer: Explainer) -> str:
    """The command that reproduces the result without a browser."""
    words = ["python", "-m", "ntkcore", explainer.analysis]
    for name, value in _typed(explainer.query).items():
        for item in value if isinstance(value, list) else [value]:
            words += [f"--{name}", quoted_class(item) if isinstance(value, list) else item]
    return shlex.join(words)


def _typed(query: Query) -> Query:
    """A query as it is typed: where no size is said, one is filled in for pretrained weights, which an address does not mean."""
    by_library = by_name(str(query.get("model", ""))) and query.get("weights") == "pretrained"
    return query | {"size": AS_IMPORTED} if by_library and "own" in query and "size" not in query else query


def _literal(value: str | list[str]) -> str:
    """A query's value as Python: numbers as numbers."""
    if isinstance(value, str):
        try:
            float(value)
        except ValueError:
            return repr(value)
        return value
    return repr(value)
