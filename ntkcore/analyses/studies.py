"""Every study there is."""

from typing import Any

from ntkcore.analyses import (
    adversarial_study,
    agreement_study,
    detection_study,
    retraining_study,
    sources_study,
    subclass_study,
    summary_study,
)
from ntkcore.analyses.study import Study
from ntkcore.specs import Spec

STUDIES: tuple[Study[Any], ...] = (
    detection_study.STUDY,
    summary_study.STUDY,
    sources_study.SOURCES,
    subclass_study.SUBCLASS,
    adversarial_study.ADVERSARIAL,
    retraining_study.STUDY,
    agreement_study.STUDY,
)


def study_of(spec: Spec) -> Study[Any] | None:
    """The study that a specification asks for; None: it asks for something else."""
    return next((study for study in STUDIES if isinstance(spec, study.spec)), None)
