"""The kernel doctor: one quiet line on what a kernel is worth, which opens to every finding and number."""

import html
import math

import streamlit as st

from ntkcore.analyses.convergence.comparison import KernelDoctor
from ntkcore.figures.theme import raised
from pages.shared import words
from pages.shared.strip import pictures

_GROUPS, _EACH = 4, 8  # groups of copies that are shown, and images of each


def show_doctor(doctor: KernelDoctor | None, *, key: str, name: str = "Kernel", without: str = "", of: str = "", pack: str = "") -> None:
    """Show the line.

    Args:
        doctor: the examination, or None where there was nothing to examine.
        key: unique on the page.
        name: the kernel, as the line begins.
        without: why there is no examination, when there is none.
        of: of what it is the kernel, where the line shares its row and holds the judgement alone.
        pack: id of its images' thumbnails, to show those that make it singular.
    """
    if doctor is None:
        st.html(f'<div class="atlas-quiet">{html.escape(without)}</div>')
        return
    icon = ":material/stethoscope:" if doctor.sound and not doctor.findings else ":material/warning:"
    with st.popover(words.plain(line(doctor, name, short=bool(of))), icon=icon, type="tertiary", key=f"quiet_doctor_{key}"):
        if of:
            st.markdown(f"**{words.plain(f'{name}, {of}')}**")
        for finding in doctor.findings:
            st.markdown(f"- {words.plain(words.spoken(finding))}")
        for group in (doctor.copies or ())[:_GROUPS] if pack else ():
            few = group[:_EACH]
            pictures(pack, few, [f"{image:,}" for image in few], head="The same to the network")
        if not doctor.findings:
            st.markdown("Nothing is wrong with it.")
        rows = "".join(
            f'<tr><th>{raised(what)}</th><td>{html.escape(value)}</td><td class="why">{raised(words.spoken(why))}</td></tr>'
            for what, value, why in _numbers(doctor)
        )
        st.html(f'<table class="atlas-facts">{rows}</table>')


def line(doctor: KernelDoctor, name: str, *, short: bool = False) -> str:
    """The examination in a line; ``short`` of it the judgement."""
    if not doctor.finite:
        return f"{name} not sound: some entries are not finite"
    judged = "sound" if doctor.sound else "not sound"
    if doctor.findings:
        judged += f", {len(doctor.findings)} remark{'s' if len(doctor.findings) > 1 else ''}"
    if short:
        return f"{name} {judged}"
    parts = [
        "symmetric" if doctor.symmetric else "not symmetric",
        f"λₘᵢₙ {words.number(doctor.smallest, 2)}",  # a button takes no HTML
        f"effective rank {words.number(doctor.effective_rank)}",
        f"condition {words.number(doctor.condition, 2)}" if math.isfinite(doctor.condition) else "no condition number",
        doctor.dtype,
    ]
    return f"{name} {judged}: {', '.join(parts)}"


def _numbers(doctor: KernelDoctor) -> list[tuple[str, str, str]]:
    """What, how much, and what that says."""
    number = words.number
    size = f"{doctor.n:,} × {doctor.n:,}"
    rows = [
        ("Size", size + (f", {doctor.outputs} × {doctor.outputs} each" if doctor.outputs > 1 else ""), "Pairs of images it holds."),
        ("Precision", doctor.dtype, "In which it was computed; everything solved from it is solved in float64."),
        ("Asymmetry", number(doctor.asymmetry, 2), "Largest difference from its mirror image, relative to its largest entry."),
        ("λ_max", number(doctor.largest), "The direction that training follows fastest."),
        ("λ_min", number(doctor.smallest), "The slowest direction; below 0 by more than rounding, it would be no kernel."),
        ("Rounding", f"± {number(doctor.floor, 2)}", "Eigenvalues this small cannot be told from 0 in this precision."),
        ("Condition", number(doctor.condition), "λ_max / λ_min: how much solving with it magnifies errors."),
        ("Effective rank", f"{number(doctor.effective_rank)} of {doctor.columns:,}", "How many directions share its eigenvalues evenly."),
    ]
    if doctor.batch_invariance is not None:
        rows.append(("Batches", number(doctor.batch_invariance, 2), "Relative change of a probe block when images are batched otherwise."))
    if doctor.compression_error is not None:
        rows.append(("Compression", number(doctor.compression_error, 2), "Relative error against the exact kernel on a probe block."))
    if doctor.jitter:
        rows.append(("Jitter", number(doctor.jitter, 2), "Added to the diagonal so that the regression could be solved."))
    return rows
