"""Requests: what can be asked for as a job, how it is asked, and what a worker does with it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from ntkcore.analyses.catalogue import STUDIES, study_of
from ntkcore.analyses.convergence import analysis as convergence
from ntkcore.analyses.convergence.forecast import require_fit_convergence
from ntkcore.analyses.imports import sweep_uploads
from ntkcore.analyses.influence import analysis as influence
from ntkcore.analyses.influence.forecast import require_fit_influence
from ntkcore.analyses.learnability import analysis as learnability
from ntkcore.analyses.learnability.forecast import require_fit
from ntkcore.analyses.progress import Reporter
from ntkcore.analyses.reliability import network as network_ihvp
from ntkcore.analyses.study import Study
from ntkcore.analyses.verification import analysis as verification
from ntkcore.analyses.workspace import Workspace, workspace
from ntkcore.data import Columns, TextWishes, download, holds_texts, import_set
from ntkcore.data.describe import describe_dataset
from ntkcore.errors import CorruptArtifact
from ntkcore.jobs import Handler, JobContext, JobState
from ntkcore.specs import (
    INFLUENCE_KERNELS,
    TITLES,
    ConvergenceSpec,
    InfluenceSpec,
    LearnabilitySpec,
    NetworkIhvpSpec,
    Spec,
    VerificationSpec,
)

_REPAIRS = 5  # damaged tiles healed in one job before something else must be wrong


def request_learnability(spec: LearnabilitySpec, ws: Workspace) -> JobState:
    """Ask for an analysis; the same request by anyone is the same job.

    Raises:
        AtlasError: it cannot be had, or cannot fit on this machine.
    """
    require_fit(spec, ws)
    title = f"Learnability of {describe_dataset(spec.dataset, ws.settings)} · {TITLES[spec.model.architecture]}"
    return _submit(learnability.KIND, learnability.learnability_key(spec, ws), spec, title, ws)


def request_convergence(spec: ConvergenceSpec, ws: Workspace) -> JobState:
    """Ask for an analysis, as :func:`request_learnability`."""
    require_fit_convergence(spec, ws)
    title = f"Convergence on {describe_dataset(spec.dataset, ws.settings)} · {TITLES[spec.architecture]}"
    return _submit(convergence.KIND, convergence.convergence_key(spec, ws), spec, title, ws)


def request_influence(spec: InfluenceSpec, ws: Workspace) -> JobState:
    """Ask for an analysis, as :func:`request_learnability`."""
    require_fit_influence(spec, ws)
    which = INFLUENCE_KERNELS[spec.kernel] + (f" ({TITLES[spec.model.architecture]})" if spec.model is not None else "")
    title = f"Influence on {describe_dataset(spec.dataset, ws.settings)} · {which}"
    return _submit(influence.KIND, influence.influence_key(spec, ws), spec, title, ws)


def request_verification(spec: VerificationSpec, ws: Workspace) -> JobState:
    """Ask for retraining, as :func:`request_learnability`."""
    deed = "without" if spec.label is None else "with another label on"
    each = "" if spec.together else "each of "
    many = f"{len(spec.removed):,} image{'' if len(spec.removed) == 1 else 's'}"
    wide = "" if spec.width is None else f", {spec.width:,} units"
    title = f"Retraining {deed} {each}{many}{wide}, {describe_dataset(spec.influence.dataset, ws.settings)}"
    return _submit(verification.KIND, verification.verification_key(spec, ws), spec, title, ws)


def request_network_ihvp(spec: NetworkIhvpSpec, ws: Workspace) -> JobState:
    """Ask for the IHVP method on a real network beside retraining, as :func:`request_learnability`."""
    title = f"LiSSA and retraining, {describe_dataset(spec.verification.influence.dataset, ws.settings)}"
    return _submit(network_ihvp.KIND, network_ihvp.network_ihvp_key(spec, ws), spec, title, ws)


def request_study(study: Study[Any], spec: Spec, ws: Workspace) -> JobState:
    """Ask for a study, as :func:`request_learnability`."""
    return _submit(study.kind, study.key(spec, ws), spec, study.title(spec, ws), ws)


def _submit(kind: str, key: str, spec: Spec, title: str, ws: Workspace) -> JobState:
    return ws.jobs.submit(kind, key, {"spec": spec.model_dump(mode="json")}, title, again=True)


def handlers(ws: Workspace | None = None) -> dict[str, Handler]:
    """What a worker can do: job kind to function."""
    ws = ws or workspace()
    sweep_uploads(ws)

    def analyse(kind: type[Spec], payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
        compute(kind.model_validate(payload["spec"]), ws, context)
        return {}

    def fetch(payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
        context.plan([("Download", "bytes", 1.0, 60.0)])
        download(payload["name"], ws.settings, progress=lambda done, total: context.report("Download", done / max(total, 1)))
        return {}

    def bring_in(payload: dict[str, Any], context: JobContext) -> dict[str, Any]:
        path, texts = Path(payload["path"]), payload.get("texts") or {}
        vectors = Path(texts["vectors"]) if texts.get("vectors") else None
        wishes = TextWishes(Columns(*texts["columns"]), vectors, texts["dimensions"]) if texts else None
        what = "texts" if holds_texts(path) else "images"
        context.plan([(f"Reading {what}", what, 1.0, 5.0)])
        try:
            report = import_set(
                path,
                ws.settings,
                name=payload["name"],
                side=payload["side"],
                texts=wishes,
                progress=lambda done, total: context.report(f"Reading {what}", done / max(total, 1)),
            )
        finally:
            if payload["uploaded"]:
                path.unlink(missing_ok=True)
            if vectors is not None and texts["vectors_uploaded"]:
                vectors.unlink(missing_ok=True)
        return {"content_id": report.content_id}

    kinds: dict[str, type[Spec]] = {study.kind: study.spec for study in STUDIES} | {
        learnability.KIND: LearnabilitySpec,
        convergence.KIND: ConvergenceSpec,
        influence.KIND: InfluenceSpec,
        verification.KIND: VerificationSpec,
        network_ihvp.KIND: NetworkIhvpSpec,
    }
    return {name: partial(analyse, kind) for name, kind in kinds.items()} | {"download": fetch, "import": bring_in}


def compute(spec: Spec, ws: Workspace, reporter: Reporter) -> None:
    """Compute what is missing of an analysis; a stored tile found damaged on the way is computed again, and said."""
    run: Callable[[], None]
    if isinstance(spec, ConvergenceSpec):
        require_fit_convergence(spec, ws)
        run = partial(convergence.run_convergence, spec, ws, reporter)
    elif isinstance(spec, InfluenceSpec):
        require_fit_influence(spec, ws)
        run = partial(influence.run_influence, spec, ws, reporter)
    elif isinstance(spec, VerificationSpec):
        run = partial(verification.run_verification, spec, ws, reporter)
    elif isinstance(spec, NetworkIhvpSpec):
        run = partial(network_ihvp.run_network_ihvp, spec, ws, reporter)
    elif study := study_of(spec):
        run = partial(study.run, spec, ws, reporter)
    else:
        assert isinstance(spec, LearnabilitySpec)
        require_fit(spec, ws)
        run = partial(learnability.run_learnability, spec, ws, reporter)
    for _ in range(_REPAIRS):
        try:
            return run()
        except CorruptArtifact as damage:
            reporter.warn(f"{damage.message} {damage.remedy}")
            ws.store.reopen(damage)
    return run()


def repair(damage: CorruptArtifact, spec: Spec, ws: Workspace) -> JobState:
    """Take the damaged tile out of its artifact and ask for it to be computed again."""
    ws.store.reopen(damage)
    if isinstance(spec, VerificationSpec):
        return request_verification(spec, ws)
    if isinstance(spec, NetworkIhvpSpec):
        return request_network_ihvp(spec, ws)
    if isinstance(spec, InfluenceSpec):
        return request_influence(spec, ws)
    if isinstance(spec, ConvergenceSpec):
        return request_convergence(spec, ws)
    if study := study_of(spec):
        return request_study(study, spec, ws)
    assert isinstance(spec, LearnabilitySpec)
    return request_learnability(spec, ws)
