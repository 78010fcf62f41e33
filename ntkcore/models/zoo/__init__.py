"""Networks by name: of timm's and torchvision's registries, and those that a server's administrator brings."""

from ntkcore.models.zoo.published import Published
from ntkcore.models.zoo.registries import assembled, names, near, published, require, unused

__all__ = ["Published", "assembled", "names", "near", "published", "require", "unused"]
