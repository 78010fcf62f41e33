"""What retraining says of the kernel's prediction, in sentences of plain text: the same on the page, in a terminal and in a report."""

from collections.abc import Sequence
from math import isnan

from ntkcore.analyses.verification.result import Verification
from ntkcore.analyses.words import change, number, signed
from ntkcore.specs.influence import VerificationSpec


def sentence(found: Verification, target: int | None, names: Sequence[str]) -> str:
    """How well prediction and retraining agree, on one held-out image or (None) on all of them after one change.

    Args:
        found: a verification.
        target: the held-out image.
        names: of the classes.
    """
    if target is None:
        predicted, _ = found.pairs(None)
        other = "other " if found.spec.added else ""
        return (
            f"Retrained {deed_words(found, names)}: predicted and real change of {len(predicted):,} {other}held-out images’ loss: "
            f"{agreement_words(found, None)}."
        )
    gap = abs(found.outputs[target] - found.expected[target]).max()
    own = f"with every image its own prediction is {number(gap, 2)} from the kernel’s"
    if len(found.spec.removed) > 1:
        many = f"{len(found.spec.removed)} images on held-out image {target}"
        return f"Predicted and real influence of {many}: {agreement_words(found, target)}; {own}."
    real, said = emphasis(found, target)
    return f"Without image {found.spec.removed[0]} the loss of held-out image {target} {real}; {said}; {own}."


def emphasis(found: Verification, target: int | None) -> tuple[str, ...]:
    """The parts of the :func:`sentence` that say most."""
    if target is None or len(found.spec.removed) > 1:
        return (agreement_words(found, target),)
    predicted, actual = found.pairs(target)
    return f"really changes by {change(actual[0])}", f"the kernel said {change(predicted[0])}"


def deed_words(found: Verification, names: Sequence[str]) -> str:
    """What was changed: "without 3 images", "with 3 images called 7", or "with 3 more images"."""
    return deed(found.spec, names)


def deed(spec: VerificationSpec, names: Sequence[str]) -> str:
    """What is done to a specification's images: they are left out, given another class, or added; ``names`` are those of the classes."""
    count = len(spec.removed or spec.added)
    images = f"image{'' if count == 1 else 's'}"
    if spec.added:
        return f"with {count:,} more {images}"
    return f"without {count:,} {images}" if spec.label is None else f"with {count:,} {images} called {names[spec.label]}"


def agreement_words(found: Verification, target: int | None) -> str:
    """Pearson, Spearman and the median relative error, or why there is nothing to correlate."""
    pearson, spearman = found.correlations(target)
    if isnan(pearson):
        return "nothing moved that could be compared" if target is None else "too few that vary, so there is nothing to correlate"
    error = found.error(target)
    return (
        f"Pearson {signed(pearson)}, Spearman {signed(spearman)}, "
        f"median error {f'{100 * error:.0f} %' if error < 10 else f'{number(error, 2)} times'}"
    )


def checked_sentence(found: Verification, ridge: float, time: float, target: int) -> str:
    """How far one held-out image's influences at λ = ``ridge`` and τ = ``time`` are known to be true; without its full stop."""
    spec = found.spec
    count = len(spec.removed)
    which = f"{count} ticked ones" if spec.target is None else f"the {count} most influential on held-out image {spec.target}"
    whose = "" if spec.target == target else f", for held-out image {target}"
    there = "Checked" if (spec.ridge, spec.time) == (ridge, time) else f"At λ = {number(spec.ridge)} and τ = {number(spec.time)} checked"
    return (
        f"{there} by retraining {network_words(found.spec.width)} on the {spec.influence.dataset.n:,} images without each of "
        f"{which}{whose}: {agreement_words(found, target)}"
    )


def network_words(width: int | None) -> str:
    """The network that is retrained."""
    return "the network" if width is None else f"a network of {width:,} units"
