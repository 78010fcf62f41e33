"""Hypothesis strategies for specifications and views, and a query's way through a browser."""

from urllib.parse import parse_qs, urlencode

from hypothesis import strategies as st

from ntkcore.specs import (
    ARCHITECTURES,
    DATASETS,
    SUGGESTED,
    DatasetSpec,
    ModelSpec,
    TrainingSpec,
    by_name,
    default_width,
    fixed_width,
    has_weights,
)
from ntkcore.specs.convergence import ConvergenceSpec, ConvergenceView
from ntkcore.specs.learnability import LearnabilitySpec, LearnabilityView

_seeds = st.integers(0, 2**31 - 1)
_starts = st.sampled_from(["pytorch", "he"])
_names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)


def through_an_address(query: dict) -> dict:
    """A query as a browser gives it back."""
    parsed = parse_qs(urlencode(query, doseq=True), keep_blank_values=True)
    return {name: values[0] if len(values) == 1 else values for name, values in parsed.items()}


@st.composite
def dataset_specs(draw: st.DrawFn) -> DatasetSpec:
    name = draw(st.sampled_from(DATASETS))
    return DatasetSpec(
        name=name,
        own=draw(st.text("0123456789abcdef", min_size=64, max_size=64)) if name == "own" else None,
        classes=draw(st.just(()) | st.lists(_names, min_size=2, max_size=4, unique=True).map(tuple)),
        n=draw(st.integers(4, 100_000)),
        seed=draw(_seeds),
        label_noise=draw(st.floats(0, 0.9)),
        without=() if name in ("clusters", "moons", "waves") else draw(st.sets(st.integers(0, 99_999), max_size=9).map(sorted).map(tuple)),
    )


_NAMED = (*SUGGESTED, "timm:vit_tiny_patch16_224.augreg_in21k", "mine:our-own.2")


@st.composite
def _choices(draw: st.DrawFn, architecture: str, weights: str) -> dict:
    """What is seen of a network, how its head starts, and its statistics in training."""
    kept = ["kept"] if weights == "pretrained" and by_name(architecture) else []
    head = draw(st.sampled_from([None, "drawn", "zero", "random", "ridge", *kept]))
    return {
        "sees": draw(st.sampled_from([None, "all", "last", "head", "blocks.6,head"])),
        "head": head,
        "head_size": draw(st.none() | st.floats(1e-3, 10)) if head == "random" else None,
        "batch_norm": draw(st.sampled_from([None, "frozen", "batch"])),
    }


@st.composite
def model_specs(draw: st.DrawFn) -> ModelSpec:
    architecture = draw(st.sampled_from([*ARCHITECTURES, *_NAMED]))
    weights = draw(st.sampled_from(["random", "pretrained"] if has_weights(architecture) else ["random"]))
    fixed = weights == "pretrained" or fixed_width(architecture) or architecture.startswith("resnet")
    return ModelSpec(
        architecture=architecture,
        width=default_width(architecture) if fixed else draw(st.integers(1, 8192)),
        depth=draw(st.integers(1, 16)) if architecture == "fcn" else None,
        weights=weights,
        seed=draw(_seeds),
        initialisation=draw(_starts) if weights == "random" and not by_name(architecture) else "pytorch",
        **draw(_choices(architecture, weights)),
    )


@st.composite
def training_specs(draw: st.DrawFn) -> TrainingSpec:
    return TrainingSpec(
        epochs=draw(st.integers(0, 2000)),
        learning_rate=draw(st.floats(1e-6, 1000)),
        batch_size=draw(st.integers(0, 100_000)),
        momentum=draw(st.floats(0, 0.999)),
        weight_decay=draw(st.floats(0, 1)),
        seed=draw(_seeds),
    )


@st.composite
def learnability_specs(draw: st.DrawFn) -> LearnabilitySpec:
    training = draw(training_specs())
    return LearnabilitySpec(
        dataset=draw(dataset_specs()),
        model=draw(model_specs()),
        training=training,
        kernel_epoch=draw(st.integers(0, training.epochs)),
        full_kernel=draw(st.booleans()),
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )


@st.composite
def learnability_views(draw: st.DrawFn) -> LearnabilityView:
    low, high = sorted((draw(st.floats(0, 100)), draw(st.floats(0, 100))))
    indices = st.sets(st.integers(0, 50_000), max_size=30).map(lambda s: tuple(sorted(s)))
    return LearnabilityView(
        hard=draw(st.floats(0, 50)),
        easy=draw(st.floats(0, 50)),
        gallery=draw(st.sampled_from(["hard", "easy", "all"])),
        order=draw(st.sampled_from(["score", "score-down", "learned", "error-down"])),
        only=draw(st.lists(_names, max_size=3, unique=True).map(tuple)),
        judged=draw(st.sampled_from(["any", "correct", "wrong", "flipped"])),
        low=low,
        high=high,
        picked=draw(indices),
        basket=draw(indices),
        image=draw(st.none() | st.integers(0, 10**6)),
        marked=draw(st.none() | st.integers(0, 10**6)),
        errors=draw(st.sampled_from(["all", "hard", "medium", "easy"])),
        log=draw(st.booleans()),
        page=draw(st.integers(1, 50)),
    )


@st.composite
def convergence_specs(draw: st.DrawFn) -> ConvergenceSpec:
    architecture = draw(st.sampled_from([*ARCHITECTURES, *_NAMED]))
    weights = draw(st.sampled_from(["random", "pretrained"] if has_weights(architecture) else ["random"]))
    plain = weights == "pretrained" or by_name(architecture)
    return ConvergenceSpec(
        dataset=draw(dataset_specs()),
        test=draw(st.integers(2, 10_000)),
        architecture=architecture,
        depth=draw(st.integers(1, 16)) if architecture == "fcn" else None,
        initialisation="pytorch" if plain else draw(_starts),
        widths=(default_width(architecture),) if plain or fixed_width(architecture) else draw(_ascending(1, 8192)),
        weights=weights,
        **draw(_choices(architecture, weights)),
        seeds=draw(st.integers(1, 10)),
        looks=draw(_ascending(0, 2000)),
        training=draw(training_specs()),
        ridge=draw(st.floats(0, 1e6)),
        dtype=draw(st.sampled_from(["float32", "float64"])),
    )


@st.composite
def convergence_views(draw: st.DrawFn) -> ConvergenceView:
    return ConvergenceView(
        epoch=draw(st.none() | st.integers(0, 2000)),
        width=draw(st.none() | st.integers(1, 8192)),
        kernel=draw(st.sampled_from(["pseudo", "first"])),
        point=draw(st.none() | st.tuples(st.integers(1, 8192), st.integers(0, 9), st.integers(0, 2000))),
        heat=draw(st.sampled_from(["pseudo", "full", "error"])),
        over=draw(st.sampled_from(["width", "epoch"])),
    )


def _ascending(low: int, high: int) -> st.SearchStrategy[tuple[int, ...]]:
    return st.sets(st.integers(low, high), min_size=1, max_size=12).map(lambda chosen: tuple(sorted(chosen)))
