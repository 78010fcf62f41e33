"""Long work: a durable queue of jobs (:class:`Jobs`) and the worker processes that compute them (:func:`run_worker`)."""

from ntkcore.jobs.client import Jobs
from ntkcore.jobs.context import JobContext
from ntkcore.jobs.launch import ensure_worker
from ntkcore.jobs.state import JobState, Status, WorkerState
from ntkcore.jobs.worker import Handler, run_worker

__all__ = ["Handler", "JobContext", "JobState", "Jobs", "Status", "WorkerState", "ensure_worker", "run_worker"]
