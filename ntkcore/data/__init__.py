"""Sets of images and texts: named, generated and your own; drawing from them; and their thumbnails."""

from ntkcore.data.apart import Order, import_apart, order_of, preview_apart, written
from ntkcore.data.bring import TextWishes, import_set, is_of_texts
from ntkcore.data.catalogue import DatasetInfo, catalogue
from ntkcore.data.class_folders import training_part
from ntkcore.data.dataset import Dataset, Origin
from ntkcore.data.download import RemoteFile, download
from ntkcore.data.import_common import Limits
from ntkcore.data.import_files import check_server_path
from ntkcore.data.load import channel_statistics, content_hash, load_dataset, load_held_out
from ntkcore.data.own import import_images
from ntkcore.data.own_keep import ImportReport
from ntkcore.data.own_read import own_digests
from ntkcore.data.own_store import OwnSet, own_sets, remove_own
from ntkcore.data.part import Part, SetFacts, facts_of, load_part
from ntkcore.data.pool import load_pool, pool_size
from ntkcore.data.preview import Preview, preview_set
from ntkcore.data.room import Room, room_of
from ntkcore.data.selection import UNLABELLED, require_pairs
from ntkcore.data.showing import bare_original, own_originals, seen_by_network
from ntkcore.data.sizing import Sizing, sizing_of
from ntkcore.data.text import DIMENSIONS, MOST_DIMENSIONS, Columns, holds_texts, import_texts
from ntkcore.data.thumbnails import ThumbnailPack, open_pack, thumbnail_pack

__all__ = [
    "DIMENSIONS",
    "MOST_DIMENSIONS",
    "UNLABELLED",
    "Columns",
    "Dataset",
    "DatasetInfo",
    "ImportReport",
    "Limits",
    "Order",
    "Origin",
    "OwnSet",
    "Part",
    "Preview",
    "RemoteFile",
    "Room",
    "SetFacts",
    "Sizing",
    "TextWishes",
    "ThumbnailPack",
    "bare_original",
    "catalogue",
    "channel_statistics",
    "check_server_path",
    "content_hash",
    "download",
    "facts_of",
    "holds_texts",
    "import_apart",
    "import_images",
    "import_set",
    "import_texts",
    "is_of_texts",
    "load_dataset",
    "load_held_out",
    "load_part",
    "load_pool",
    "open_pack",
    "order_of",
    "own_digests",
    "own_originals",
    "own_sets",
    "pool_size",
    "preview_apart",
    "preview_set",
    "remove_own",
    "require_pairs",
    "room_of",
    "seen_by_network",
    "sizing_of",
    "thumbnail_pack",
    "training_part",
    "written",
]
