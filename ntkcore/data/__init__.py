"""Image sets: named, generated and your own; drawing from them; and their thumbnails."""

from ntkcore.data.catalogue import DatasetInfo, catalogue
from ntkcore.data.dataset import Dataset
from ntkcore.data.download import RemoteFile, download
from ntkcore.data.import_common import Limits
from ntkcore.data.import_files import check_server_path
from ntkcore.data.load import content_hash, load_dataset
from ntkcore.data.own import ImportReport, import_images
from ntkcore.data.own_store import OwnSet, own_sets, remove_own
from ntkcore.data.thumbnails import ThumbnailPack, open_pack, thumbnail_pack

__all__ = [
    "Dataset",
    "DatasetInfo",
    "ImportReport",
    "Limits",
    "OwnSet",
    "RemoteFile",
    "ThumbnailPack",
    "catalogue",
    "check_server_path",
    "content_hash",
    "download",
    "import_images",
    "load_dataset",
    "open_pack",
    "own_sets",
    "remove_own",
    "thumbnail_pack",
]
