"""Photographs: what an import of many costs, how soon their pages are there, and how fast kernels of their networks are.

``python benchmarks/photographs.py import --images 10000 --side 300`` writes a zip of photographs made of smooth noise, imports it in a
process of its own as the app does, with the peak of its memory, stops it half-way and goes on, and then opens a gallery of all of them
as a page would: cold, and warm.

``... open --images 10000`` opens Learnability's gallery and the map of as many in Chromium (photographs_open.py). ``... speed`` times
kernels of EfficientNet-Lite0, ResNet-18 and ResNet-50 beside torch.func's per-sample gradients (photographs_speed.py). ``... copies`` says
how well the duplicates page tells copies of real photographs from other photographs (photographs_copies.py).
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
sys.path.insert(1, str(Path(__file__).resolve().parents[1]))

import psutil
from photographs_copies import run_copies
from photographs_made import write_zip
from photographs_open import run_open
from photographs_speed import NETWORKS, run_speed

from ntkcore.data import Order, import_apart, load_dataset, open_pack, thumbnail_pack
from ntkcore.errors import Cancelled
from ntkcore.settings import Settings
from ntkcore.specs import DatasetSpec

_GALLERY = """
import json, sys, time
from ntkcore.data import open_pack
from ntkcore.settings import Settings
settings, pack = Settings(cache_dir=sys.argv[1]), sys.argv[2]
began = time.perf_counter()
found = open_pack(pack, settings)
opened = time.perf_counter() - began
began = time.perf_counter()
for image in range(0, len(found), max(1, len(found) // 100)):
    found.picture(image)
print(json.dumps([opened, time.perf_counter() - began]))
"""


def imported(path: Path, settings: Settings, stop_at: float | None) -> tuple[float, float, str]:
    """Seconds, peak of resident memory of the importing process in MB, and the content id ("" where it was stopped)."""
    began, peak = time.perf_counter(), 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal peak
        peak = max([peak, *(child.memory_info().rss / 2**20 for child in psutil.Process().children() if child.is_running())])
        if stop_at is not None and done >= stop_at * total:
            raise Cancelled

    try:
        found = import_apart(Order((path,), "Photographs"), settings, tell)
    except Cancelled:
        found = ""
    return time.perf_counter() - began, peak, found


def run_import(options: argparse.Namespace) -> int:
    """Write, import, stop, go on, open."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photographs.zip"
        write_zip(path, options.images, options.side)
        print(f"{options.images:,} photographs of {options.side} px, a zip of {path.stat().st_size / 2**20:,.0f} MB")
        settings = Settings(cache_dir=Path(folder) / "cache")
        seconds, peak, content = imported(path, settings, None)
        print(f"import: {seconds:.1f} s, {options.images / seconds:,.0f} a second, peak of its process {peak:,.0f} MB")
        shutil.rmtree(settings.cache_dir)
        first, _, _ = imported(path, settings, 0.75)
        second, _, again = imported(path, settings, None)
        print(f"stopped after {first:.1f} s, went on for {second:.1f} s; the same set: {again == content}")
        spec = DatasetSpec(name="own", own=content, n=options.images)
        began = time.perf_counter()
        data = load_dataset(spec, settings)
        pack = thumbnail_pack(data.pixels, settings, origin=data.origin)
        size = pack.path.stat().st_size / 2**20
        print(f"drawn, and a pack of {size:,.0f} MB of thumbnails written: {time.perf_counter() - began:.2f} s")
        command = [sys.executable, "-c", _GALLERY, str(settings.cache_dir), pack.id]
        opened, shown = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
        began = time.perf_counter()
        open_pack(pack.id, settings)
        warm = time.perf_counter() - began
        print(f"gallery: opened in {opened:.2f} s by another process, in {1000 * warm:.1f} ms once it has")
        print(f"100 of its cards read in {1000 * shown:.0f} ms")
        for size in (128, 224):
            began = time.perf_counter()
            load_dataset(spec.model_copy(update={"n": options.draw, "size": size}), settings)
            cold = time.perf_counter() - began
            began = time.perf_counter()
            load_dataset(spec.model_copy(update={"n": options.draw, "size": size}), settings)
            print(f"{options.draw:,} at {size} px: {cold:.2f} s decoded, {time.perf_counter() - began:.2f} s kept")
    return 0


def main() -> int:
    """Run the part that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(required=True)
    bring = parts.add_parser("import", help="import many, stop and go on, open a gallery")
    bring.add_argument("--images", type=int, default=10_000)
    bring.add_argument("--side", type=int, default=300)
    bring.add_argument("--draw", type=int, default=1000)
    bring.set_defaults(run=run_import)
    show = parts.add_parser("open", help="open a gallery and a map of many")
    show.add_argument("--images", type=int, default=10_000)
    show.add_argument("--side", type=int, default=300)
    show.add_argument("--runs", type=int, default=3)
    show.add_argument("--cache", help="a folder to compute in, which stays for the next time")
    show.add_argument("--chromium", default="/usr/bin/chromium")
    show.set_defaults(run=run_open)
    speed = parts.add_parser("speed", help="kernels beside torch.func's per-sample gradients; asks for NTK_DATA_DIR and NTK_WEIGHTS_DIR")
    speed.add_argument("--networks", nargs="+", default=list(NETWORKS), choices=list(NETWORKS))
    speed.add_argument("--repeats", type=int, default=3)
    speed.add_argument("--threads", type=int, default=2)
    speed.add_argument("--scale", type=float, default=1.0, help="times the number of photographs")
    speed.add_argument("--peer-gigabytes", type=float, default=8.0, help="what the peer may keep")
    speed.add_argument("--memory", action=argparse.BooleanOptionalAction, default=True, help="also the peak of memory")
    speed.set_defaults(run=run_speed)
    copies = parts.add_parser("copies", help="copies of real photographs by the demands of the duplicates page; asks for both, too")
    copies.add_argument("--images", type=int, default=398)
    copies.add_argument("--small", type=int, default=1000)
    copies.add_argument("--side", type=int, default=64)
    copies.set_defaults(run=run_copies)
    options = parser.parse_args()
    code: int = options.run(options)
    return code


if __name__ == "__main__":
    sys.exit(main())
