"""Our own explaining texts as HTML: paragraphs, lists, emphasis, code and formulas, and nothing else of Markdown.

Formulas become MathML, which browsers draw and print by themselves. Everything else is escaped first.
"""

import html
import re

from latex2mathml.converter import convert

_FORMULA = re.compile(r"\$\$(.+?)\$\$|\$(.+?)\$", re.DOTALL)
_SIZED = re.compile(r"\\[bB]igg?[lrm]?(?![a-z])")  # brackets of a size, which MathML finds by itself
_TEXT = re.compile(r"\\text\{([^{}]*)\}")
_INLINE = (
    (re.compile(r"\*\*(.+?)\*\*", re.DOTALL), r"<b>\1</b>"),
    (re.compile(r"(?<![\w*])\*(?!\s)(.+?)\*(?![\w*])", re.DOTALL), r"<i>\1</i>"),
    (re.compile(r"`(.+?)`", re.DOTALL), r"<code>\1</code>"),
    (re.compile(r"&lt;(/?su[bp])&gt;"), r"<\1>"),
)
_WITHIN = re.compile(r"\$(.+?)\$")
_ITEM = re.compile(r"^- ", re.MULTILINE)


def as_html(text: str) -> str:
    """A text as HTML."""
    formulas: list[str] = []

    def kept(found: re.Match[str]) -> str:
        formulas.append(_formula(found[1] or found[2], block=found[1] is not None))
        return f"\0{len(formulas) - 1}\0"

    escaped = html.escape(_FORMULA.sub(kept, text.strip()), quote=False)
    for pattern, by in _INLINE:
        escaped = pattern.sub(by, escaped)
    blocks = "".join(_block(block) for block in re.split(r"\n\s*\n", escaped) if block.strip())
    return re.sub("\0(\\d+)\0", lambda found: formulas[int(found[1])], blocks)


def _block(block: str) -> str:
    if not block.startswith("- "):
        return f"<p>{block}</p>"
    return "<ul>" + "".join(f"<li>{item.strip()}</li>" for item in _ITEM.split(block) if item.strip()) + "</ul>"


def _formula(source: str, *, block: bool) -> str:
    plain = _TEXT.sub(lambda found: f"\\text{{{_WITHIN.sub(_beside, found[1])}}}", _SIZED.sub("", source.strip()))
    return str(convert(plain, display="block" if block else "inline"))


def _beside(found: re.Match[str]) -> str:
    """A formula within a formula's words, as one beside them."""
    return f"}}{found[1]}\\text{{"
