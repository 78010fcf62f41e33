"""Workspaces of a cache of their own, and workers that have shown that they live."""

import os
from contextlib import closing, contextmanager
from uuid import uuid4

import pytest

from ntkcore.analyses.workspace import Workspace
from ntkcore.jobs import device_lock
from ntkcore.jobs.book import new_worker
from ntkcore.jobs.queue import QUEUES, prepare


@pytest.fixture
def ws(cache):
    made = Workspace(cache)
    yield made
    made.jobs.close()
    made.library.close()


@pytest.fixture
def living():
    """A context in which workers of the lanes live, as the queue sees it."""

    @contextmanager
    def live(ws, *lanes):
        handles = []
        with closing(prepare(ws.settings)) as book:
            for lane in lanes or QUEUES:
                name = device_lock.worker_id("cpu", lane)
                handles.append(device_lock.take(device_lock.lock_path(ws.settings.cache_dir, name), "cpu"))
                book.beat(new_worker(name, uuid4().hex, device_lock.host(), "cpu", 1))
            yield
        for handle in handles:
            os.close(handle)

    return live
