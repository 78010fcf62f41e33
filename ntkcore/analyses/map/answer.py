"""What a map says, in sentences of plain text: the same on the page, in a terminal and in a report."""

import numpy as np

from ntkcore.analyses.map import views
from ntkcore.analyses.map.result import MapResult
from ntkcore.analyses.materials.thumbnails import noun
from ntkcore.analyses.words import percent
from ntkcore.analyses.workspace import Workspace
from ntkcore.specs.map import MapView


def sentences(result: MapResult, view: MapView, ws: Workspace) -> tuple[str, ...]:
    """How clearly the kernel tells the classes apart, who lies among others, and how far the plane is to be believed."""
    kind, look = noun(result.pack, ws), views.Look.of(result, view, ws)
    among = views.same_label(result)
    count = min(views.NEIGHBOURS, result.near.shape[1])
    chance = float(np.square(np.bincount(result.labels) / len(result.labels)).sum())
    strangers = int((among < 0.2).sum())
    article = "an" if kind == "image" else "a"
    own = f"{percent(float(among.mean()), 3)} have its label ({percent(chance, 3)} by chance)"
    first = f"Of {article} {kind}’s {count} nearest in the kernel, {own}."
    lie = f"{kind} lies" if strangers == 1 else f"{kind}s lie"
    apart = f"{strangers:,} {lie} among others, with fewer than a fifth of their own label near."
    kept = float(look.kept().mean())
    if look.plane == "neighbours":
        drawn = f"The neighbour embedding keeps {percent(kept, 3)} of the true neighbours; distances across it mean little."
    else:
        share = float(result.shares[[axis - 1 for axis in set(look.axes)]].sum())
        drawn = f"The plane has {percent(share, 3)} of the centred kernel’s trace and keeps {percent(kept, 3)} of the true neighbours."
    return first, apart, drawn
