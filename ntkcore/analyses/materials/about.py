"""What a network is, for the images of a choice: its parameters, which of them are seen, and which the kernel engine factors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ntkcore.analyses.forecast import sample_of
from ntkcore.analyses.materials.memory import kernel_memory
from ntkcore.analyses.workspace import Workspace
from ntkcore.models import describe_model, zoo
from ntkcore.models.zoo import mine
from ntkcore.specs import DatasetSpec, ModelSpec, Outputs, by_name


def own_networks() -> tuple[str, ...]:
    """The server's own networks, ``mine:NAME``."""
    return tuple(f"mine:{name}" for name in zoo.names("mine"))


def search(words: Sequence[str]) -> tuple[str, ...]:
    """The libraries' networks in whose name all of these words are, the shortest first; the first search loads the libraries."""
    known = [f"{one}:{name}" for one in ("torchvision", "timm") for name in zoo.names(one)]
    return tuple(sorted((name for name in known if all(word in name.lower() for word in words)), key=len))


def downloadable(architecture: str) -> bool:
    """Whether a network's weights are published."""
    return by_name(architecture) and bool(zoo.published(architecture).url)


def preparation(architecture: str) -> dict[str, Any]:
    """How photographs are made ready for a network's weights, as fields of a data set's specification: size, share kept, interpolation; {}
    where nothing is published, or the size is none that images can be given.

    Raises:
        ModelError: there is no such network.
    """
    known = zoo.published(architecture)
    way = "bilinear" if known.interpolation == "bilinear" else "bicubic"
    found = {"size": known.side, "crop": known.crop, "interpolation": way}
    try:
        DatasetSpec.model_validate(found)
    except ValidationError:
        return {}
    return found


@dataclass(frozen=True, slots=True)
class About:
    """A network, described.

    Attributes:
        doc: what the documentation of a server's own says; "".
        parameters, seen: its numbers, and those that the kernel is taken over.
        notes: what was decided for these images, in sentences.
        factored: tensors of parameters whose gradients the kernel engine has in closed form.
        formed: names of those whose gradients it forms sample by sample, and why.
    """

    doc: str
    parameters: int
    seen: int
    notes: tuple[str, ...]
    factored: int
    formed: tuple[tuple[str, str], ...]


def about(model: ModelSpec, dataset: DatasetSpec, form: Outputs, dtype: str, ws: Workspace) -> About:
    """What the network is for these images, and the kernel ``form`` of it; looked at once.

    Raises:
        AtlasError: there is no such network, or the images or the weights are not there.
    """
    sample = sample_of(dataset, ws)
    shape, outputs = sample.inputs.shape[1:], sample.outputs

    def found() -> About:
        described = describe_model(model, input_shape=shape, outputs=outputs, class_names=sample.class_names)
        plan = kernel_memory(form, model, dtype, sample, ws).plan
        formed = tuple((entry.parameter.removeprefix("network."), entry.reason) for entry in plan.formed)
        factored = sum(entry.form == "factored" for entry in plan.entries)
        doc = mine.looked(model.architecture.removeprefix("mine:"), outputs, shape).about if model.architecture.startswith("mine:") else ""
        return About(doc, described.parameters, described.seen, described.notes, factored, formed)

    return ws.hot.get(("about", model.canonical(), shape, outputs, sample.class_names, form, dtype), found, lambda _: 2**14)
