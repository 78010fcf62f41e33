"""Every study there is."""

from typing import Any

from ntkcore.analyses.information.believe import agreement as agreement_study
from ntkcore.analyses.information.believe import retraining as retraining_study
from ntkcore.analyses.information.drop import study as summary_study
from ntkcore.analyses.information.groups import adversarial as adversarial_study
from ntkcore.analyses.information.groups import sources as sources_study
from ntkcore.analyses.information.groups import subclass as subclass_study
from ntkcore.analyses.information.labels import study as detection_study
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
