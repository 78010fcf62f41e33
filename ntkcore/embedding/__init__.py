"""Images on a plane, as a kernel sees them: leading eigenvectors, a neighbour embedding, and what a plane distorts."""

from ntkcore.embedding.nearest import Nearest, nearest, share_kept
from ntkcore.embedding.neighbours import neighbour_embedding
from ntkcore.embedding.outside import Outside, among, outside
from ntkcore.embedding.principal import Principal, principal

__all__ = ["Nearest", "Outside", "Principal", "among", "nearest", "neighbour_embedding", "outside", "principal", "share_kept"]
