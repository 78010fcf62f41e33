"""Long work: a durable queue of jobs (:class:`Jobs`) and the worker processes that compute them (:func:`run_worker`)."""

from ntkcore.jobs.client import Jobs
from ntkcore.jobs.context import JobContext
from ntkcore.jobs.launch import Keeper, ensure_worker, serve
from ntkcore.jobs.queue import QUEUES, Lane
from ntkcore.jobs.state import JobState, Status, Waiting, WorkerState
from ntkcore.jobs.turns import Asker
from ntkcore.jobs.worker import Handler, run_worker

__all__ = [
    "QUEUES",
    "Asker",
    "Handler",
    "JobContext",
    "JobState",
    "Jobs",
    "Keeper",
    "Lane",
    "Status",
    "Waiting",
    "WorkerState",
    "ensure_worker",
    "run_worker",
    "serve",
]
