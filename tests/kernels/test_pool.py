"""Threads that share the processors."""

import torch

from ntkcore.kernels.pool import pool, processors


def test_threads_share_the_processors_and_leave_their_number() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    try:
        with pool(2) as threads:
            shares = list(threads.map(lambda _: torch.get_num_threads(), range(2)))
        assert shares == [2, 2]
        assert torch.get_num_threads() == processors() == 4
        with pool(9) as threads:
            assert threads.submit(torch.get_num_threads).result() == 1
        torch.set_num_threads(32)
        assert processors() == 8  # Python itself runs in one at a time
    finally:
        torch.set_num_threads(before)
