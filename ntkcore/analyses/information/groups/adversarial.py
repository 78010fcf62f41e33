"""Is something adversarial? (Unique-info §6, Fig. 10)

A network is trained on clean images, and FGSM makes adversarial examples of some of them; those that succeed replace their originals. F-SI
is then computed with another network's kernel. Differs from the paper by its control: F-SI of the same images before the attack, which
tells what the attack added from what the attacked images had anyway.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd
from pydantic import ValidationError

from ntkcore.analyses.defaults import affordable
from ntkcore.analyses.forecast import Forecast, sample_of
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information.groups import answer
from ntkcore.analyses.information.groups.composed import require_held_out
from ntkcore.analyses.information.groups.kernel import (
    COMPOSED_METHOD,
    composed_kernel,
    effort,
    forecast_study,
    going_on,
    is_stored,
    require_untrained,
    right,
    time_of,
)
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, content_of, has_state, network, state_at
from ntkcore.analyses.materials.probes import training_rate
from ntkcore.analyses.materials.split import Split, check_split, load_split
from ntkcore.analyses.progress import TRAINING, PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study, unasked
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import Dataset, load_dataset
from ntkcore.errors import ComputationError, SpecError
from ntkcore.information import functional_information
from ntkcore.information.adversarial import CHUNK, fgsm
from ntkcore.information.detection import detect
from ntkcore.models import evaluate
from ntkcore.specs import ModelSpec, RunSpec, TrainingSpec, default_rate
from ntkcore.specs.groups import AdversarialSpec
from ntkcore.specs.influence import InfluenceSpec
from ntkcore.specs.information import InformationView

KEPT = 60
"""Adversarial images of each repeat that are kept to be shown."""
_ATTACKED, _KERNEL = 0.45, 0.9  # shares of a piece that are told when the images are attacked, and when the kernel is there


def adversarial_asked(spec: InfluenceSpec, view: InformationView, repeats: int) -> AdversarialSpec:
    """The study that the page's choice asks for: its images without label noise, its kernel from another seed than the attacked network.

    Args:
        repeats: draws.

    Raises:
        SpecError: a kernel after training, a set that has no images, or a network that cannot be.
    """
    require_untrained(spec)
    chosen, own = view.groups, spec.model or ModelSpec(architecture="fcn")
    try:
        attacked = own
        if chosen.network not in (None, own.architecture):
            attacked = ModelSpec.model_validate({"architecture": chosen.network, "weights": chosen.weights or "random", "seed": own.seed})
        elif chosen.weights not in (None, own.weights):
            attacked = ModelSpec.model_validate({"architecture": own.architecture, "weights": chosen.weights, "seed": own.seed})
        fresh = None if spec.model is None else spec.model.model_copy(update={"seed": spec.model.seed + 1})
        return AdversarialSpec(
            kernel=spec.kernel,
            model=fresh,
            dtype=spec.dtype,
            compression=spec.compression,
            ridge=view.ridge,
            time=view.flow_time,
            seed=spec.dataset.seed,
            repeats=repeats,
            dataset=spec.dataset.model_copy(update={"label_noise": 0.0}),
            test=spec.test,
            attacked=attacked,
            training=TrainingSpec(
                epochs=chosen.epochs,
                learning_rate=default_rate(attacked.architecture) if chosen.rate is None else chosen.rate,
                batch_size=chosen.batch,
            ),
            epsilon=chosen.epsilon,
            share=chosen.share,
        )
    except ValidationError as error:
        raise unasked(error, "Choose another network.") from error


def run_of(spec: AdversarialSpec, part: int) -> RunSpec:
    """The training of one repeat's attacked network."""
    return RunSpec(
        dataset=spec.dataset.model_copy(update={"seed": spec.dataset.seed + part}),
        model=spec.attacked.model_copy(update={"seed": spec.attacked.seed + part}),
        training=spec.training.model_copy(update={"seed": spec.training.seed + part}),
    )


def images(spec: AdversarialSpec, part: int, ws: Workspace) -> Split:
    """The clean images of one repeat.

    Raises:
        SpecError: points, which are not from 0 to 1. DataError: a class without a held-out image.
    """
    found = load_split(run_of(spec, part).dataset, spec.test, ws)
    _require_images(found.train)
    require_held_out(found.test_labels, found.train.class_names)
    return found


def _require_images(train: Dataset) -> None:
    if train.inputs.ndim != 4:
        raise SpecError("FGSM's ε is a step of pixels from 0 to 1, and these are no images.", "Choose a set of images.")


def _attack(
    spec: AdversarialSpec, part: int, train: Dataset, ws: Workspace, reporter: PieceReporter
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Adversarial images in the order in which they were found (a,), their pixels (a, ...), and how many were right, tried, found (3,)."""
    run = run_of(spec, part)
    reporter.expect(TRAINING, run.training.epochs * train.n, 0.0, _ATTACKED)
    state = state_at(run, train, ws, reporter, TRAINING)
    module = network(run.model, train, ws).to(reporter.device)
    state.load_into(module)
    sound = classes(evaluate(module, train.inputs, device=reporter.device)) == train.labels
    order = np.random.default_rng([spec.seed + part, 7]).permutation(np.flatnonzero(sound))
    wanted = max(1, round(spec.share * train.n))
    chosen: list[np.ndarray] = []
    pixels: list[np.ndarray] = []
    found = tried = 0
    for start in range(0, len(order), CHUNK):
        going_on(reporter)()
        some = order[start : start + CHUNK]
        moved = fgsm(module, train.inputs[some], train.targets[some], spec.epsilon)
        fooled = np.flatnonzero(classes(evaluate(module, moved, device=reporter.device)) != train.labels[some])[: wanted - found]
        chosen.append(some[fooled])
        pixels.append(moved[fooled])
        found += len(fooled)
        tried += len(some) if found < wanted else int(fooled[-1]) + 1
        if found == wanted:
            break
    if not found:
        raise ComputationError(
            f"No image's class changed at ε = {spec.epsilon:g}: {tried:,} images that the network had right were tried.",
            "Choose a larger ε, or train the attacked network longer.",
        )
    return np.concatenate(chosen), np.concatenate(pixels), np.array([sound.sum(), tried, found], np.float64)


def _drawn(spec: AdversarialSpec, part: int) -> AdversarialSpec:
    """What the kernel of one repeat depends on."""
    run, same = run_of(spec, part), {"repeats": 1, "ridge": 0.0, "time": None, "seed": spec.seed + part}
    return spec.model_copy(update={**same, "dataset": run.dataset, "attacked": run.model, "training": run.training})


def _kernel_of(spec: AdversarialSpec, part: int) -> InfluenceSpec:
    """The judging network's kernel: another seed in each repeat; a kernel of infinite width has none."""
    if spec.model is None:
        return spec.chosen()
    return spec.chosen(model=spec.model.model_copy(update={"seed": spec.model.seed + part}))


def adversarial_table(pieces: Pieces[AdversarialSpec]) -> pd.DataFrame:
    """A row for each repeat: how many examples there are, mean F-SI in nats of adversarial and normal images, how well F-SI finds them."""
    rows = []
    for part in range(pieces.spec.repeats):
        truth, attacked, clean = pieces["adversarial"][part] > 0, pieces["attacked"][part], pieces["clean"][part]
        sound, tried, found = map(int, pieces["counts"][part])
        rows.append(
            {
                "repeat": part,
                "right": sound,
                "tried": tried,
                "adversarial": found,
                "information_adversarial": attacked[truth].mean(),
                "information_normal": attacked[~truth].mean(),
                "information_before": clean[truth].mean(),
                "auc": detect(attacked, truth).auc.value,
                "auc_before": detect(clean, truth).auc.value,
                "accuracy_clean": pieces["accuracy"][part, 0],
                "accuracy_attacked": pieces["accuracy"][part, 1],
            }
        )
    return pd.DataFrame(rows)


class Adversarial(Study[AdversarialSpec, InformationView]):
    """Is something adversarial?"""

    kind, version, uses = "adversarial", 1, (COMPOSED_METHOD, KERNEL_METHOD, TRAINING_METHOD)
    spec, view = AdversarialSpec, InformationView
    word = "study: adversarial examples"

    def title(self, spec: AdversarialSpec, ws: Workspace) -> str:
        """The size of the step, and how many images there are."""
        return f"Adversarial examples, ε = {spec.epsilon:g}: {spec.dataset.n:,} images"

    def content(self, spec: AdversarialSpec, ws: Workspace) -> Mapping[str, str]:
        """Content hashes of the images, and of the weights of both networks."""
        kernel = {} if spec.model is None else {"kernel's weights": content_of(spec.dataset, spec.model, ws)["weights"]}
        return content_of(spec.dataset, spec.attacked, ws) | kernel

    def forecast(self, spec: AdversarialSpec, ws: Workspace) -> Forecast:
        """The trainings and kernels that are not stored, then the scores before and after the attack.

        Raises:
            SpecError: points, which are no images. DataError: too few of them.
        """
        sample, n = sample_of(spec.dataset, ws), spec.dataset.n
        _require_images(sample)
        check_split(spec.dataset, spec.test, ws)
        more = max(1, round(spec.share * n))

        def training() -> float:
            missing = sum(not has_state(run_of(spec, part), ws) for part in range(spec.repeats))
            rate = training_rate(spec.training, spec.attacked, n, sample, ws)
            return rate * (missing * n * spec.training.epochs + spec.repeats * n)

        content = content_of(spec.dataset, spec.attacked, ws)
        kernels = sum(not is_stored(_drawn(spec, part), _kernel_of(spec, part), content, ws) for part in range(spec.repeats))
        return forecast_study(spec, sample, n + more, spec.test, ws, kernels=kernels, solves=4.0, extra=training)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> AdversarialSpec:
        """What the page's choice asks for; see :func:`adversarial_asked`."""
        often = dict.fromkeys(repeats for repeats, _ in effort(view.groups.repeats))
        return affordable(self, [adversarial_asked(spec, view, repeats) for repeats in often], ws)

    def shown(self, spec: AdversarialSpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        own = None if spec.model is None else spec.model.model_copy(update={"seed": max(spec.model.seed - 1, 0)})  # see adversarial_asked
        groups = {
            "study": "adversarial",
            "repeats": spec.repeats,
            "epsilon": spec.epsilon,
            "share": spec.share,
            "network": spec.attacked.architecture,
            "weights": spec.attacked.weights,
            "epochs": spec.training.epochs,
            "rate": spec.training.learning_rate,
            "batch": spec.training.batch_size,
        }
        view = {"ask": "groups", "ridge": spec.ridge, "time": spec.time, "groups": groups}
        return spec.chosen(dataset=spec.dataset, test=spec.test, model=own), InformationView.model_validate(view)

    def pieces(self, spec: AdversarialSpec) -> int:
        """One for each draw."""
        return spec.repeats

    def shapes(self, spec: AdversarialSpec, ws: Workspace) -> Shapes:
        """``clean`` and ``attacked``: F-SI (n,) in nats before and after the attack; ``adversarial`` (n,): 1 where an image was replaced;
        ``counts``: images right, tried and found; ``accuracy``: held-out, with clean and with attacked images; ``kept`` (KEPT,) and
        ``pixels`` (KEPT, size): the first adversarial images and their numbers, NaN beyond.
        """
        size = int(np.prod(load_dataset(spec.dataset, ws.settings, first=1).inputs.shape[1:]))
        one = (spec.dataset.n,)
        return {
            "clean": one,
            "attacked": one,
            "adversarial": one,
            "counts": (3,),
            "accuracy": (2,),
            "kept": (KEPT,),
            "pixels": (KEPT, size),
        }

    def piece(self, spec: AdversarialSpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """A repeat: train and attack a network, then the scores of the same images before and after by another network's kernel."""
        split = images(spec, number, ws)
        train = split.train
        chosen, pixels, counts = _attack(spec, number, train, ws, reporter)
        n, count = train.n, len(chosen)
        both = replace(
            train,
            inputs=np.concatenate([train.inputs, pixels]),
            pixels=np.concatenate([train.pixels, train.pixels[chosen]]),
            labels=np.concatenate([train.labels, train.labels[chosen]]),
            true_labels=np.concatenate([train.true_labels, train.true_labels[chosen]]),
            ids=(*train.ids, *(f"{train.ids[image]}, adversarial" for image in chosen)),
            origin=None,
        )  # normalised as the clean images are
        content = content_of(spec.dataset, spec.attacked, ws)
        kernel = composed_kernel(
            _drawn(spec, number), _kernel_of(spec, number), content, replace(split, train=both), ws, reporter, (_ATTACKED, _KERNEL)
        )
        tested, clean = np.arange(len(split.test_labels)), np.arange(n)
        attacked = clean.copy()
        attacked[chosen] = n + np.arange(count)
        scores, accuracy = [], []
        for rows in (clean, attacked):
            regression = kernel.regression(rows, spec.ridge, going_on(reporter))
            scores.append(functional_information(regression, kernel.test(tested, rows), time_of(spec)))
            outputs = regression.predict(kernel.test(tested, rows), kernel.f_test, time_of(spec))
            accuracy.append(right(outputs, split.test_labels, [tested])[0])
            reporter.tell(_KERNEL + (1 - _KERNEL) / 2 * len(scores))
        shown = min(KEPT, count)
        kept, seen = np.full(KEPT, np.nan), np.full((KEPT, train.inputs[0].size), np.nan)
        kept[:shown], seen[:shown] = chosen[:shown], pixels[:shown].reshape(shown, -1)
        return {
            "clean": scores[0],
            "attacked": scores[1],
            "adversarial": np.isin(clean, chosen),
            "counts": counts,
            "accuracy": np.array(accuracy),
            "kept": kept,
            "pixels": seen,
        }

    def answer(self, result: Pieces[AdversarialSpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """Whether adversarial images carry more, what they carried before, and how the attack went."""
        return (*answer.adversarial(result), *answer.attacks(result))

    def table(self, result: Pieces[AdversarialSpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """A row for each repeat: examples tried and found, mean F-SI of adversarial and normal images, how well F-SI finds them."""
        return adversarial_table(result)


ADVERSARIAL = Adversarial()
