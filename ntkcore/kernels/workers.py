"""Several batches at once on a CPU, a thread and a processor for each.

One batch on all processors leaves them waiting: between the many short operations of a backward pass, and in those that run on one
processor alone. Batches on threads of their own do not wait for each other; on two processors a ResNet's features take 0.6 of the time.
Each thread has the network's modules to itself, since some write to themselves and parameters are swapped; the weights are shared.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from dataclasses import replace
from queue import SimpleQueue
from typing import TypeVar

import torch

from ntkcore.kernels.capture import exact_gradients
from ntkcore.kernels.copies import copied, own_state, shared
from ntkcore.kernels.general import quiet_vmap
from ntkcore.kernels.plan import Planned
from ntkcore.kernels.pool import pool

T = TypeVar("T")


def twin(planned: Planned) -> Planned | None:
    """``planned`` for a copy of the modules that shares their weights; None where no copy can be made that has the same gradients."""
    made = copied(planned.model, own_state if planned.writes else shared)
    if made is None:  # it runs one batch after another, as it always may
        return None
    general = None if planned.general is None else replace(planned.general, model=made)
    if planned.general is not None and general is not None:
        # a function that a layer or a hook holds may use the original layer's weights, whose gradients the copy then lacks
        with exact_gradients(planned.like.device):
            here, there = (one.gradients(planned.first.clone(), planned.seeds[:1]) for one in (planned.general, general))
        if not torch.allclose(here, there, rtol=1e-3, atol=1e-6 * float(here.abs().max())):
            return None
    return replace(planned, general=general, model=made)


@contextlib.contextmanager
def threads(count: int | None) -> Iterator[None]:
    """So many processors for each of this thread's operations; None: as many as before."""
    before = torch.get_num_threads()
    if count is None or count == before:
        yield
        return
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_all(batches: Sequence[T], plans: Sequence[Planned], work: Callable[[Planned, T], None], done: Callable[[T], None]) -> None:
    """``work`` on every batch, as many at once as there are ``plans``; ``done`` is called here after each, and may raise to stop."""
    if len(plans) == 1 or len(batches) == 1:
        for batch in batches:
            work(plans[0], batch)
            done(batch)
        return
    free: SimpleQueue[Planned] = SimpleQueue()
    for planned in plans:
        free.put(planned)

    def one(batch: T) -> T:
        planned = free.get()
        try:
            work(planned, batch)
        finally:
            free.put(planned)
        return batch

    # warnings' filters are not a thread's own: changed here, they are put back once the threads have ended
    with quiet_vmap(), pool(len(plans)) as running:
        futures = [running.submit(one, batch) for batch in batches]
        try:
            for future in as_completed(futures):
                done(future.result())
        except BaseException:
            running.shutdown(wait=False, cancel_futures=True)
            raise
