"""How photographs are made ready for a library's pretrained weights where nobody says how: on the page, the command line, in a notebook."""

from typing import Any

from ntkcore.analyses.materials.about import preparation
from ntkcore.analyses.workspace import Workspace
from ntkcore.data import own_sets
from ntkcore.errors import AtlasError
from ntkcore.permalink import Query
from ntkcore.specs import by_name

AS_IMPORTED = "imported"
"""The size that leaves images as they were imported, said on the command line and in a notebook."""
_SIZING = ("size", "crop", "interpolation")


def preparation_for(architecture: str, weights: str, own: str | None, ws: Workspace) -> dict[str, Any]:
    """Size, crop and interpolation that pretrained weights want, as fields of a data set's specification; {} where none are wanted.

    They are for own sets whose originals are there, and networks by name.
    """
    if not by_name(architecture) or weights != "pretrained":
        return {}
    if not any(item.content_id == own and item.originals for item in own_sets(ws.settings)):
        return {}
    try:
        return preparation(architecture)
    except AtlasError:  # said where the network is built
        return {}


def prepared(query: Query, ws: Workspace) -> tuple[Query, str]:
    """A query of somebody who types it, with the preparation that its weights want where it says none; and what was filled in, a sentence.

    Not for addresses: one without a size means the images as they were imported. ``size=imported`` says that here.
    """
    if query.get("size") == AS_IMPORTED:
        return {name: value for name, value in query.items() if name != "size"}, ""
    architecture, weights, own = (query.get(name) for name in ("model", "weights", "own"))
    if any(name in query for name in _SIZING) or not all(isinstance(one, str) for one in (architecture, weights, own)):
        return query, ""
    found = {name: str(value) for name, value in preparation_for(str(architecture), str(weights), str(own), ws).items()}
    if not found:
        return query, ""
    said = ", ".join(f"{name} {value}" for name, value in found.items())
    return query | found, f"Images are prepared as the pretrained weights want them: {said} (size {AS_IMPORTED} leaves them as they are)."
