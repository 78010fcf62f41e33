"""Every analysis there is, and what a worker does with a job."""

from functools import partial
from typing import Any

from ntkcore.analyses import imports
from ntkcore.analyses.active.analysis import ACTIVE
from ntkcore.analyses.analysis import Analysis
from ntkcore.analyses.compare.analysis import COMPARE
from ntkcore.analyses.convergence.analysis import CONVERGENCE
from ntkcore.analyses.duplicates.analysis import DUPLICATES
from ntkcore.analyses.influence.addition import ADDITION
from ntkcore.analyses.influence.analysis import INFLUENCE
from ntkcore.analyses.information.analysis import INFORMATION
from ntkcore.analyses.information.believe.agreement import AGREEMENT
from ntkcore.analyses.information.believe.retraining import RETRAINING
from ntkcore.analyses.information.drop.study import SUMMARY
from ntkcore.analyses.information.groups.adversarial import ADVERSARIAL
from ntkcore.analyses.information.groups.sources import SOURCES
from ntkcore.analyses.information.groups.subclass import SUBCLASS
from ntkcore.analyses.information.labels.study import DETECTION
from ntkcore.analyses.label import network as labelling
from ntkcore.analyses.label import rounds
from ntkcore.analyses.learnability.analysis import LEARNABILITY
from ntkcore.analyses.map.analysis import MAP
from ntkcore.analyses.reliability.analysis import RELIABILITY
from ntkcore.analyses.reliability.network import NETWORK_IHVP
from ntkcore.analyses.verification.analysis import VERIFICATION
from ntkcore.analyses.workspace import Workspace, workspace
from ntkcore.errors import SpecError
from ntkcore.jobs import Handler, JobContext, JobState
from ntkcore.specs import Spec

ANALYSES: tuple[Analysis[Any, Any, Any], ...] = (
    LEARNABILITY,
    CONVERGENCE,
    INFLUENCE,
    RELIABILITY,
    INFORMATION,
    VERIFICATION,
    ADDITION,
    NETWORK_IHVP,
    DETECTION,
    SUMMARY,
    SOURCES,
    SUBCLASS,
    ADVERSARIAL,
    RETRAINING,
    AGREEMENT,
    MAP,
    COMPARE,
    ACTIVE,
    DUPLICATES,
)
"""All of them; of those that look at one artifact the one that it is named after first."""

MATERIALS = {
    "training": "training: outputs after every epoch",
    "state": "network after an epoch",
    "diagonal": "scores k(x,x)",
    "kernel": "full kernel",
    "spectrum": "eigenvalues and eigenvectors of the kernel",
    "comparison": "comparison of the kernels of one network",
    "timing": "seconds per pair of images",
    "composed": "kernel of images from several sets",
    "trained": "network trained for a verification",
    labelling.KIND: "network for labelling: kernel and outputs",
    "estimate": "influences on one image at a trained network",
}
"""What the list of what is kept calls the artifacts that analyses are made of, by their kind."""


def of(spec: Spec) -> Analysis[Any, Any, Any]:
    """The analysis that a specification asks for."""
    return next(analysis for analysis in ANALYSES if type(spec) is analysis.spec)


def named(name: str) -> Analysis[Any, Any, Any]:
    """The analysis of a name.

    Raises:
        SpecError: there is none; lists those there are.
    """
    found = next((analysis for analysis in ANALYSES if analysis.name == name), None)
    if found is None:
        raise SpecError(f"There is no analysis {name[:40]!r}.", f"Choose one of: {', '.join(one.name for one in ANALYSES)}.")
    return found


def of_job(job: JobState) -> Analysis[Any, Any, Any] | None:
    """The analysis that a job computes, of those that look at one artifact the one that asked for it; None: it is no analysis."""
    name = job.payload.get("name", job.kind)
    return next((analysis for analysis in ANALYSES if analysis.name == name and analysis.kind == job.kind), None)


def word_of(kind: str) -> str:
    """What the list of what is kept calls the artifacts of a kind."""
    return next((analysis.word for analysis in ANALYSES if analysis.kind == kind), MATERIALS.get(kind, kind))


def handlers(ws: Workspace | None = None) -> dict[str, Handler]:
    """What a worker can do: job kind to function."""
    ws = ws or workspace()

    def compute(analysis: Analysis[Any, Any, Any], payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
        analysis.compute(analysis.spec.model_validate(payload["spec"]), ws, context)
        return {}

    found: dict[str, Handler] = {analysis.kind: partial(compute, analysis) for analysis in reversed(ANALYSES)}
    return found | imports.handlers(ws.settings) | {labelling.KIND: partial(rounds.handle, ws)}
