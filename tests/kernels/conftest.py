"""The networks and the oracle, shared by the kernels' tests, which run on one thread: theirs are too small for more."""

import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

_NAME = "kernel_test_networks"
if _NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(_NAME, Path(__file__).with_name("networks.py"))
    assert _spec is not None
    assert _spec.loader is not None
    sys.modules[_NAME] = importlib.util.module_from_spec(_spec)
    _spec.loader.exec_module(sys.modules[_NAME])


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)
