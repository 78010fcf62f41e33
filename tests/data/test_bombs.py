"""Refusing a bomb takes at most 100 MB beyond what the idle process holds, and leaves nothing behind."""

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bombs import BOMBS
from reviews import REVIEWS
from soaked import soaked

_ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", soaked(BOMBS, "label"))
def test_refusing_takes_little_memory(make, tmp_path, name):
    images = [make.encoded(seed=i) for i in range(4)]
    pq.write_table(pa.table({"image": images, "label": ["a", "b", "a", "b"]}), tmp_path / "small_images")
    texts = pa.table({"text": [text for text, _ in REVIEWS], "label": [label for _, label in REVIEWS]})
    pq.write_table(texts, tmp_path / "small_texts")
    bomb = BOMBS[name](tmp_path / "bomb")
    command = [sys.executable, str(_ROOT / "tests" / "bombs.py"), str(tmp_path), str(bomb)]
    ran = subprocess.run(command, cwd=_ROOT, env={"PYTHONPATH": str(_ROOT), "PATH": ""}, capture_output=True, text=True, check=True)
    found = json.loads(ran.stdout)
    assert found["said"] != "nothing"
    assert found["sets"] == 2  # the small ones
    assert found["bytes"] <= 100e6, found
