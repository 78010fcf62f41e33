"""What is computed, kept: artifacts on disk (:class:`Store`) and hot arrays in memory (:class:`DeviceCache`)."""

from ntkcore.store.artifact import Artifact
from ntkcore.store.device_cache import CacheStats, DeviceCache, size_of
from ntkcore.store.draft import Draft
from ntkcore.store.store import Entry, State, Store

__all__ = ["Artifact", "CacheStats", "DeviceCache", "Draft", "Entry", "State", "Store", "size_of"]
