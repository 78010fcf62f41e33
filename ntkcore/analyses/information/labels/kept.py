"""Where the decisions of a review are: in the library, one review for each draw of a set, which all who look at that draw share.

Links of before carried the decisions themselves. Such a link still shows them, and what the library holds of an image goes before it.
"""

import hashlib
import json

from ntkcore.analyses.influence.result import InfluenceResult
from ntkcore.analyses.information.labels import review as reviews
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import content_hash
from ntkcore.data.describe import describe_dataset
from ntkcore.library import Labels, Standing
from ntkcore.library.labels import Deed
from ntkcore.specs.detection import LabelsView

_DEEDS: dict[reviews.Deed | None, Deed] = {"accept": "accept", "relabel": "label", "reject": "reject", None: "open"}
_WORDS: dict[Deed, reviews.Deed] = {deed: word for word, deed in _DEEDS.items() if word is not None}


def session_of(result: InfluenceResult, ws: Workspace) -> str:
    """Id of the review of a result's images."""
    dataset = result.spec.dataset
    identity = json.dumps(["review", dataset.canonical(), content_hash(dataset, ws.settings)])
    return hashlib.sha256(identity.encode()).hexdigest()[:32]


def standing(result: InfluenceResult, ws: Workspace) -> Standing:
    """What the library holds of them."""
    return Labels(ws.library).standing(session_of(result, ws))


def merged(labels: LabelsView, found: Standing) -> LabelsView:
    """The view with what the library holds; of images of which it holds nothing, with what the link says."""
    decided = dict.fromkeys(labels.accepted, ("accept", 0)) | dict.fromkeys(labels.rejected, ("reject", 0))
    decided |= {image: ("label", label) for image, label in labels.relabelled}
    decided |= {image: (one.deed, one.label or 0) for image, one in found.current.items()}
    of = {deed: sorted(image for image, (said, _) in decided.items() if said == deed) for deed in _WORDS}
    relabelled = tuple((image, decided[image][1]) for image in of["label"])
    return labels.model_copy(update={"accepted": tuple(of["accept"]), "rejected": tuple(of["reject"]), "relabelled": relabelled})


def carried(labels: LabelsView, found: Standing) -> list[int]:
    """Images of which only the link says something."""
    return [image for image in reviews.images_decided(labels).tolist() if image not in found.current]


def keep(
    result: InfluenceResult, image: int, deed: reviews.Deed | None, label: int | None, author: str, seen: int | None, ws: Workspace
) -> None:
    """Keep a decision; None: nothing is decided of the image any more.

    Args:
        seen: id of what held when it was decided (:meth:`~ntkcore.library.Standing.seen`).

    Raises:
        Taken: somebody else decided it meanwhile.
    """
    Labels(ws.library).decide(_begun(result, author, ws), image, _DEEDS[deed], author, seen=seen, label=label)


def keep_carried(result: InfluenceResult, labels: LabelsView, author: str, ws: Workspace) -> None:
    """Keep what only the link says."""
    session = _begun(result, author, ws)
    deeds = []
    for image in carried(labels, standing(result, ws)):
        found = reviews.decision(labels, image)
        assert found is not None
        deeds.append((image, _DEEDS[found[0]], found[1], None))
    Labels(ws.library).decide_all(session, deeds, author)


def undo(result: InfluenceResult, author: str, ws: Workspace) -> int | None:
    """Undo this person's last decision; its image, None where there was none."""
    gone = Labels(ws.library).undo(session_of(result, ws), author)
    return None if gone is None else gone.item


def _begun(result: InfluenceResult, author: str, ws: Workspace) -> str:
    dataset = result.spec.dataset
    title = f"Review of {describe_dataset(dataset, ws.settings)}"
    return Labels(ws.library).begin("review", title, dataset.model_dump(mode="json"), author, session=session_of(result, ws))
