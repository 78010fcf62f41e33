"""What went wrong in a job, in words for its user."""

import errno

from ntkcore.errors import AtlasError

DEATHS = 3  # deaths of its worker after which a job is not tried again


def describe(error: BaseException, device: str) -> tuple[str, str]:
    """Message and remedy for an exception a handler raised."""
    if isinstance(error, AtlasError):
        return error.message, error.remedy
    if out_of_memory(error):
        return (
            f"The computation ran out of memory on {device}.",
            "Choose fewer images, a smaller network or a smaller batch; then compute again.",
        )
    return (
        f"Internal error ({type(error).__name__}): the computation stopped at something it does not know how to handle.",
        "Computing again goes on from what was finished; if it stops again, the details are in the worker's log on the server.",
    )


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: Python's and NumPy's error, torch's on a GPU, torch's on a CPU (a RuntimeError told by its words)."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "out of memory" in words or "can't allocate memory" in words or "not enough memory" in words
    )


def disk_is_full(error: BaseException) -> bool:
    """Whether a write failed for want of disk space: the system's error, somewhere in the chain of causes, or SQLite's."""
    cause: BaseException | None = error
    while cause is not None:
        if getattr(cause, "errno", None) in (errno.ENOSPC, errno.EDQUOT) or "disk is full" in str(cause).lower():
            return True
        cause = cause.__cause__
    return False


def poisoned(deaths: int) -> tuple[str, str]:
    """Message and remedy for a job that keeps killing its worker."""
    return (
        f"The job was given up: its worker died {deaths} times while computing it, most often a sign of too little memory.",
        "Choose fewer images, a smaller network or a smaller batch; then compute again.",
    )
