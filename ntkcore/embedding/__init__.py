"""Images on a plane, as a kernel sees them: leading eigenvectors, a neighbour embedding, and what a plane distorts."""

from ntkcore.embedding.nearest import Nearest, nearest, share_kept
from ntkcore.embedding.neighbours import neighbour_embedding
from ntkcore.embedding.principal import Principal, principal

__all__ = ["Nearest", "Principal", "nearest", "neighbour_embedding", "principal", "share_kept"]
