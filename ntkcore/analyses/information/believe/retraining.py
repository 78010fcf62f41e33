"""Can the scores be believed? Real retraining without some images beside linearisation and influence functions (Unique-info Table 1, A.3).

Some random training images are left out, each in a training of its own from the same θ0, and the squared changes of the weights and of the
held-out predictions are held against

- linearisation at the same λ and τ, of which the scores of the page are made;
- influence functions at the trained weights (Koh & Liang): with the Gauss-Newton matrix, in closed form; with the Hessian, by conjugate
  gradients, where it is positive definite; and by LiSSA with the paper's settings (Table 2). Predictions move to first order in them.

Where λ is 0 influence functions have the paper's damping, 0.01 on a loss averaged over n images, which is 0.01 n on the sum here; LiSSA's
scale of 1000 is 1000 n likewise. The paper does not tell the size of LiSSA's batches: here it is BATCH.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ntkcore.analyses.defaults import affordable
from ntkcore.analyses.forecast import Forecast
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.influence.look import Look
from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.influence.views import classes
from ntkcore.analyses.information.believe.answer import verdict
from ntkcore.analyses.information.believe.forecast import forecast_retraining
from ntkcore.analyses.information.believe.plan import (
    BATCH,
    CHUNK,
    DEPTH,
    FEWEST,
    METHODS,
    MOST_ITERATIONS,
    REMOVALS,
    SCALE,
    TOLERANCE,
    asked,
    damping,
    plan,
)
from ntkcore.analyses.information.believe.tables import table
from ntkcore.analyses.look import memoised
from ntkcore.analyses.materials.kernel import KERNEL_METHOD
from ntkcore.analyses.materials.network import TRAINING_METHOD, outputs_of
from ntkcore.analyses.materials.split import Split, load_split
from ntkcore.analyses.progress import PieceReporter
from ntkcore.analyses.study import Pieces, Shapes, Study
from ntkcore.analyses.verification.forecast import descent, network_of
from ntkcore.analyses.verification.trained import TrainedNetwork, trained_network
from ntkcore.analyses.workspace import Workspace
from ntkcore.errors import ComputationError
from ntkcore.influence import Lissa, Schedule, System, retrain_chunks
from ntkcore.influence.network_removal import removal_moves
from ntkcore.information import weight_changes
from ntkcore.information.functions import squared_shifts
from ntkcore.information.influence_functions import influence_shifts, influence_weight_changes
from ntkcore.kernels import empirical_ntk
from ntkcore.regression import KernelRegression
from ntkcore.specs.believe import RetrainingStudySpec
from ntkcore.specs.influence import InfluenceSpec, VerificationSpec
from ntkcore.specs.information import InformationView

_TRAINED, _RETRAINED = 0.3, 0.7  # shares of a part that are told when the networks are trained


@memoised("result")
def _split(look: Look) -> Split:
    """The images of a result."""
    spec = look.result.spec
    return load_split(spec.dataset, spec.test, look.ws)


@memoised()
def _closed(look: Look, spec: RetrainingStudySpec, *, at: TrainedNetwork, f_train: np.ndarray) -> np.ndarray:
    """(2, 2, n): linearisation and Gauss-Newton influence functions; changes of weights and predictions without each image.

    Args:
        at, f_train: the network trained at the look's λ and τ, and its outputs (n, k); they follow from the look and the study.
    """
    chosen, k_test = look.regression(), look.result.k_test
    linear = weight_changes(chosen, look.time), squared_shifts(chosen, k_test, [look.time])[0]
    form = spec.influence.kernel
    assert form in ("pseudo", "full")  # the specification refuses others
    k_train = empirical_ntk(at.model, at.x, outputs=form).values
    k_moved = empirical_ntk(at.model, at.x_test, at.x, outputs=form).values
    trained = KernelRegression(k_train, at.y, damping(spec, look.ridge), f_train)
    errors = f_train - at.y
    return np.stack([linear, (influence_weight_changes(trained, errors), influence_shifts(trained, k_moved, errors))])


def _retrained(
    spec: VerificationSpec,
    result: InfluenceResult,
    split: Split,
    at: TrainedNetwork,
    f_test: np.ndarray,
    ws: Workspace,
    reporter: PieceReporter,
) -> tuple[np.ndarray, np.ndarray]:
    """Squared changes of the weights and of the held-out predictions (c,) by training anew without each image."""
    model, x, z = network_of(spec, split.train, split, ws)
    steps = _steps(spec, result)
    whole = [(p - at.start[name]).detach().double() for name, p in at.model.named_parameters() if p.requires_grad]
    weights, outputs = np.empty(len(spec.removed)), np.empty(len(spec.removed))
    for chunk in retrain_chunks(
        *(model, x, at.y, z, [(image,) for image in spec.removed]),
        Schedule(spec.time / steps, steps, spec.ridge),
        device=reporter.device,
        skip=[0],
        moved=True,
        progress=reporter.share(_TRAINED, _RETRAINED),
    ):
        assert chunk.moved is not None  # asked for
        for place, number in enumerate(chunk.replicas):
            moves = (one[place].cpu().double() - all_of_them for one, all_of_them in zip(chunk.moved, whole, strict=True))
            weights[number - 1] = sum(float(move.square().sum()) for move in moves)
            outputs[number - 1] = float(np.square(chunk.test[place, 0].astype(np.float64) - f_test).sum())
    return weights, outputs


def _steps(spec: VerificationSpec, result: InfluenceResult) -> int:
    """Steps of gradient descent: a verification's, or FEWEST where that has fewer."""
    return max(FEWEST, descent(spec, result)[1])


def _size(values: np.ndarray) -> float:
    """Root of the mean square."""
    return float(np.sqrt(np.square(values).mean()))


class Retraining(Study[RetrainingStudySpec, InformationView]):
    """Can the scores be believed? Real retraining without some images beside linearisation and influence functions."""

    kind, version, uses = "retraining", 1, (KERNEL_METHOD, TRAINING_METHOD)
    spec, view = RetrainingStudySpec, InformationView
    word = "study: retraining beside its estimates"
    after = INFLUENCE

    def title(self, spec: RetrainingStudySpec, ws: Workspace) -> str:
        """How many images are left out."""
        many = f"{spec.removals} image{'' if spec.removals == 1 else 's'}"
        return f"Retraining without each of {many}, beside linearisation and influence functions"

    def content(self, spec: RetrainingStudySpec, ws: Workspace) -> Mapping[str, str]:
        """The analysis whose kernel predicts."""
        return {"influence": INFLUENCE.key(spec.influence, ws)}

    def forecast(self, spec: RetrainingStudySpec, ws: Workspace) -> Forecast:
        """See :func:`~ntkcore.analyses.information.believe.forecast.forecast_retraining`."""
        return forecast_retraining(spec, ws)

    def asked(self, spec: InfluenceSpec, view: InformationView, ws: Workspace) -> RetrainingStudySpec:
        """What the page's choice asks for; see :func:`asked`."""
        chosen, most = view.believe.removals, spec.dataset.n - 1  # one image stays to train on
        many = sorted({min(count, most) for count in REMOVALS}, reverse=True) if chosen is None else [chosen]
        return affordable(self, [asked(spec, view, removals) for removals in many], ws)

    def shown(self, spec: RetrainingStudySpec) -> tuple[InfluenceSpec, InformationView]:
        """The information page's question that it answers."""
        believe = {"show": "retraining", "removals": spec.removals, "seed": spec.seed, "ridge": spec.ridges[-1]}
        view = {"ask": "believe", "time": spec.time, "believe": believe}
        return spec.influence, InformationView.model_validate(view)

    def pieces(self, spec: RetrainingStudySpec) -> int:
        """One for each λ and chunk of images."""
        return len(plan(spec))

    def shapes(self, spec: RetrainingStudySpec, ws: Workspace) -> Shapes:
        """Squared changes of the ``weights`` and the ``outputs`` without each of up to CHUNK images, by retraining and each of METHODS.

        ``gap``: root mean squares of the held-out outputs, network less linearisation and linearisation less θ0's; ``accuracy``: shares of
        held-out images that network and linearisation have right; ``steps`` of gradient descent.
        """
        each = (1 + len(METHODS), CHUNK)  # by retraining, and by each method
        return {"weights": each, "outputs": each, "gap": (2,), "accuracy": (2,), "steps": ()}

    def piece(self, spec: RetrainingStudySpec, number: int, ws: Workspace, reporter: PieceReporter) -> Mapping[str, np.ndarray]:
        """Train on everything and without each of some images at one λ, then estimate the same changes by each of METHODS."""
        ridge, images = plan(spec)[number]
        INFLUENCE.run(spec.influence, 0, ws, reporter)
        result = INFLUENCE.open(spec.influence, ws)
        look = Look(result, ridge, spec.time, ws)
        split = _split(look)
        wanted = spec.verification(ridge, images)
        taken = _steps(wanted, result)
        at = trained_network(wanted, result, split, ws, reporter, taken if taken > descent(wanted, result)[1] else None)
        reporter.tell(_TRAINED)
        f_train, f_test = (values.astype(np.float64) for values in outputs_of(at.model, split))
        closed = _closed(look, spec, at=at, f_train=f_train)
        weights, outputs = np.full((2, 1 + len(METHODS), CHUNK), np.nan)
        some = slice(len(images))
        weights[0, some], outputs[0, some] = _retrained(wanted, result, split, at, f_test, ws, reporter)
        weights[1:3, some], outputs[1:3, some] = closed[:, 0, list(images)], closed[:, 1, list(images)]
        for row, (lissa, first) in enumerate(((None, _RETRAINED), (Lissa(SCALE * len(f_train), DEPTH, BATCH, 1, number), 0.85)), 3):
            try:
                found = removal_moves(
                    *(at.model, at.x, at.y, at.x_test, images),
                    System(damping(spec, ridge), lissa=lissa, tolerance=TOLERANCE, max_iterations=MOST_ITERATIONS),
                    device=reporter.device,
                    progress=reporter.share(first, first + 0.15),
                )
            except ComputationError:
                continue  # the Hessian is indefinite: NaN says so
            weights[row, some], outputs[row, some] = found.weights, np.square(found.outputs).sum((1, 2))
        linear = look.outputs()
        right = [float((classes(values) == result.test_labels).mean()) for values in (f_test, linear)]
        return {
            "weights": weights,
            "outputs": outputs,
            "gap": np.array([_size(f_test - linear), _size(linear - result.f_test)]),
            "accuracy": np.array(right),
            "steps": np.array(taken),
        }

    def answer(self, result: Pieces[RetrainingStudySpec], view: InformationView, ws: Workspace) -> tuple[str, ...]:
        """Whether the network follows its linearisation, a sentence for each λ."""
        return tuple(verdict(result, ridge).said for ridge in result.spec.ridges)

    def table(self, result: Pieces[RetrainingStudySpec], view: InformationView, ws: Workspace) -> pd.DataFrame:
        """A row for each λ, quantity and method: its agreement with retraining."""
        return table(result)


RETRAINING = Retraining()
