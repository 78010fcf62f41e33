"""What the analysis bars of the pages have in common: the data, the training, and what to say when parts contradict each other."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import streamlit as st
from pydantic import ValidationError

from ntkcore.analyses import defaults
from ntkcore.analyses.workspace import workspace
from ntkcore.data import DatasetInfo, OwnSet, catalogue, own_sets
from ntkcore.data.describe import describe_dataset
from ntkcore.specs import LARGEST_MOMENTUM, RATE_RANGE, VECTOR_SETS, DatasetSpec, TrainingSpec, faults
from ntkcore.specs.active import ActiveSpec
from ntkcore.specs.convergence import ConvergenceSpec
from ntkcore.specs.duplicates import DuplicatesSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.learnability import LearnabilitySpec
from pages.shared import words
from pages.shared.choice import Choice
from pages.shared.fields import Fields

_SIDES = (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 384)
_SIZING = ("size", "crop", "interpolation")
S = TypeVar("S", LearnabilitySpec, ConvergenceSpec, InfluenceSpec, ActiveSpec, DuplicatesSpec)


@dataclass(frozen=True, slots=True)
class Part:
    """A sentence of a bar that opens.

    Attributes:
        key, icon: of its button.
        summary: the sentence; Markdown.
        show: shows what is under it.
    """

    key: str
    icon: str
    summary: str
    show: Callable[[], None]


def analysis_bar(
    fields: Fields,
    choice: Choice[S, Any],
    values: dict[str, Any],
    read: Callable[[S], S | str],
    parts: Callable[[S], Sequence[Part]],
    *,
    of: object = None,
    key: str = "analysis_bar",
    then: Callable[[S], None] | None = None,
) -> S | None:
    """Show a bar and return what it says, or None (said on the page) when its parts contradict each other.

    Args:
        fields: its widgets.
        choice: what was chosen; the widgets begin with it.
        values: the values of the page's own widgets, beside those of the data and the training.
        read: the specification the widgets say, given the chosen one, or what is contradictory about them.
        parts: the sentences on a specification.
        of: what else the widgets are about; they begin anew when it is another.
        key: of the bar, where a page has more than one.
        then: shows what stands at its end, given what it says.
    """
    training = getattr(choice.spec, "training", None) or TrainingSpec()  # the widgets of a training are shown where there is one
    fields.seed((choice.revision, of), data_values(choice.spec.dataset) | values | training_values(training))
    found = read(choice.spec)  # the widgets' values are those of this run already, so the summaries never lag behind them
    with st.container(horizontal=True, gap="xsmall", key=key, vertical_alignment="center"):
        for part in parts(choice.spec if isinstance(found, str) else found):
            with st.popover(part.summary, icon=part.icon, key=part.key):
                part.show()
        if then is not None and not isinstance(found, str):
            then(found)
    if isinstance(found, str):
        st.warning(found, icon=":material/warning:")
        return None
    return found


def contradiction(error: ValidationError) -> str:
    """What is contradictory, as Markdown."""
    return "  \n".join(map(words.plain, faults(error)))


def data_part(fields: Fields, spec: S, *, step: int = 100, images: str = "Drawn at random without replacement.") -> Part:
    """The data set as a sentence that opens.

    Args:
        fields: the bar's widgets.
        spec: whose data set the summary names; other images or classes have as many of them as fit.
        step: images more or fewer at a click.
        images: what to say on the number of images.
    """
    summary = words.plain(describe_dataset(spec.dataset, workspace().settings))
    return Part("bar_data", ":material/photo_library:", summary, lambda: _data(fields, spec, step, images))


def precision_field(fields: Fields, **told: Any) -> None:
    """The widget of the kernels' precision."""
    st.segmented_control("Precision", ["float32", "float64"], required=True, **fields.default("dtype"), **told)


def _data(fields: Fields, spec: S, step: int, images: str) -> None:
    ws = workspace()
    sets = {info.name: info for info in catalogue(ws.settings)}
    mine = {item.content_id: item for item in own_sets(ws.settings)}
    options = [name for name in sets if name != "own"] + [f"own:{content_id}" for content_id in mine]
    picked = fields["data"]
    if picked not in options:
        options.append(picked)  # a link to a set this server does not have: shown as it is, refused below
    titles = {name: _set_title(name, sets, mine) for name in options}
    repeated = Counter(titles.values())  # Streamlit tells options apart by what they are called
    st.selectbox(
        words.spoken("Images"),
        options,
        format_func=lambda name: titles[name] if repeated[titles[name]] == 1 else f"{titles[name]} · {name.removeprefix('own:')[:6]}",
        **fields.index("data", options),
        **fields.then("data", lambda: _refit(fields, spec, classes=[], **_of_other_images(fields, mine))),
    )
    names = _class_names(picked, sets, mine)
    st.multiselect(
        "Classes",
        list(dict.fromkeys([*names, *fields["classes"]])),
        **fields.default("classes"),
        **fields.then("classes", lambda: _refit(fields, spec)),
        placeholder="all classes",
        help="None chosen: all classes. Two: a binary problem with targets −1 and +1.",
    )
    left, right = st.columns(2)
    left.number_input(words.spoken("Images drawn"), 4, 100_000, step=step, **fields.value("n"), help=words.spoken(images))
    right.number_input("Seed of the draw", 0, 2**31 - 1, **fields.value("seed"))
    if spec.dataset.without:
        st.toggle(words.spoken(f"Leave out {words.counted(len(spec.dataset.without), 'images')} of the set"), **fields.value("without"))
    _part_and_size(fields, spec, mine.get(picked.removeprefix("own:")))
    st.slider(
        "Labels flipped (%)",
        0,
        90,
        **fields.value("noise"),
        help="This share of labels moves to another class, uniformly, before training.",
    )
    st.page_link("pages/data/page.py", label="Bring your own images or texts", icon=":material/upload:")


def _part_and_size(fields: Fields, spec: S, item: OwnSet | None) -> None:
    """The part of a divided set that is trained on, and the size that images have for the network."""
    left, right = st.columns(2)
    parts = dict(item.parts) if item else {}
    if parts or fields["part"]:
        options = list(dict.fromkeys(["", *parts, fields["part"]]))
        left.selectbox(
            "Trained on the part",
            options,
            format_func=lambda name: f"{name} ({parts.get(name, 0):,})" if name else "everything",
            **fields.index("part", options),
            **fields.then("part", lambda: _refit(fields, spec)),
            help=words.spoken("Images that are held out are drawn from the other parts."),
        )
    if fields["data"] in VECTOR_SETS or (item is not None and item.kind == "texts"):
        return
    size_field(fields, right)


def size_field(fields: Fields, at: Any = st) -> None:
    """The widgets of the size that images have for the network, and of how they are cut.

    Args:
        fields: the bar's widgets.
        at: where the first stands.
    """
    sides = sorted({*_SIDES, *([fields["size"]] if fields["size"] else [])})
    options = [None, *sides]
    at.selectbox(
        "Size of the images",
        options,
        format_func=lambda side: f"{side} × {side}" if side else "as imported",
        **fields.index("size", options),
        help="The short side is scaled and the central square cut out, from the originals where the set keeps them. "
        "A pretrained network wants the size it was trained at. The kernel’s work grows with the pixels.",
    )
    if fields["size"]:
        left, right = st.columns(2)
        left.number_input(
            "Share that the square keeps",
            0.25,
            1.0,
            step=0.025,
            format="%g",
            **fields.value("crop"),
            help="Of the short side: 0.875 cuts an eighth of it off.",
        )
        ways = ["bilinear", "bicubic"]
        right.segmented_control("Scaled", ways, required=True, **fields.default("interpolation"))


def _of_other_images(fields: Fields, mine: dict[str, OwnSet]) -> dict[str, Any]:
    """Part and size of other images than before: the whole set, and no size for what has none."""
    item = mine.get(fields["data"].removeprefix("own:"))
    pictures = fields["data"] not in VECTOR_SETS and (item is None or item.kind == "images")
    return {"part": ""} | ({} if pictures else {"size": None})


def _refit(fields: Fields, spec: S, **changes: Any) -> None:
    """Other images were chosen than those of ``spec``: how many fit, in their widgets."""
    try:
        said = {name: tuple(value) if isinstance(value, list) else value for name, value in changes.items()}
        dataset = DatasetSpec.model_validate(read_data(fields, spec.dataset) | said)
    except ValidationError:
        sizes = {}  # one class alone: said below the bar
    else:
        found = defaults.moved(spec, dataset, workspace())
        sizes = {"n": found.n} | ({"test": found.test} if hasattr(spec, "test") else {})
    others = {name: value for name, value in (changes | sizes).items() if fields[name] != value}
    if others:
        fields.change(**others)


def data_values(spec: DatasetSpec) -> dict[str, Any]:
    """The values of the data's widgets."""
    return {
        "data": f"own:{spec.own}" if spec.own else spec.name,
        "classes": list(spec.classes),
        "n": spec.n,
        "seed": spec.seed,
        "noise": round(100 * spec.label_noise),
        **{name: getattr(spec, name) for name in ("part", *_SIZING)},
        "without": bool(spec.without),
    }


def read_data(fields: Fields, held: DatasetSpec) -> dict[str, Any]:
    """The data set the widgets say, as the values of a specification."""
    name, _, own = fields["data"].partition(":")
    noise = fields["noise"] / 100
    if round(100 * held.label_noise) == fields["noise"]:
        noise = held.label_noise  # a link may say 12.5 %, which the slider cannot
    return {
        "name": name,
        "own": own or None,
        "classes": tuple(fields["classes"]),
        "n": fields["n"],
        "seed": fields["seed"],
        "label_noise": noise,
        "part": fields["part"],
        **read_sizing(fields),
        "without": held.without if fields["without"] and (name, own or None) == (held.name, held.own) else (),
    }


def read_sizing(fields: Fields) -> dict[str, Any]:
    """The size that the widgets say, and how images are cut to it, as the values of a specification."""
    return {name: fields[name] for name in _SIZING} if fields["size"] else {}


def training_fields(fields: Fields) -> None:
    """The widgets of the steps of training."""
    left, right = st.columns(2)
    left.number_input("Learning rate", *RATE_RANGE, format="%g", **fields.value("rate"))
    right.number_input(
        "Batch size", 0, 100_000, **fields.value("batch"), help=words.spoken("0: all images in every step (gradient descent).")
    )
    left.number_input("Momentum", 0.0, LARGEST_MOMENTUM, step=0.1, format="%g", **fields.value("momentum"))
    right.number_input("Weight decay", 0.0, 1.0, step=1e-4, format="%g", **fields.value("decay"), help="Pulls every weight towards 0.")
    st.number_input("Seed of the order", 0, 2**31 - 1, **fields.value("shuffle"))
    st.caption("Squared loss, stochastic gradient descent: the dynamics the kernel describes.")


def training_values(spec: TrainingSpec) -> dict[str, Any]:
    """The values of the training's widgets."""
    return {
        "rate": spec.learning_rate,
        "batch": spec.batch_size,
        "momentum": spec.momentum,
        "decay": spec.weight_decay,
        "shuffle": spec.seed,
    }


def read_training(fields: Fields) -> dict[str, Any]:
    """The steps of training the widgets say, as the values of a specification."""
    return {
        "learning_rate": fields["rate"],
        "batch_size": fields["batch"],
        "momentum": fields["momentum"],
        "weight_decay": fields["decay"],
        "seed": fields["shuffle"],
    }


def _class_names(picked: str, sets: dict[str, DatasetInfo], mine: dict[str, OwnSet]) -> tuple[str, ...]:
    if picked.startswith("own:"):
        item = mine.get(picked.removeprefix("own:"))
        return item.class_names if item else ()
    return sets[picked].class_names if picked in sets else ()


def _set_title(name: str, sets: dict[str, DatasetInfo], mine: dict[str, OwnSet]) -> str:
    if name.startswith("own:"):
        item = mine.get(name.removeprefix("own:"))
        return item.name if item else "a set this server does not have"
    info = sets[name]
    return info.title if info.available else f"{info.title} (not on this machine)"
