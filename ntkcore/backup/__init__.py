"""One file that holds what cannot be computed again: the library, the sets that were imported, and the results that people keep."""

from ntkcore.backup.make import Made, back_up
from ntkcore.backup.restore import Restored, restore

__all__ = ["Made", "Restored", "back_up", "restore"]
