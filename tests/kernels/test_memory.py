"""The stated memory is kept: growth of the peak resident memory, in a process of its own, beside the formula."""

import subprocess
import sys

import pytest
from soaked import soaked

NAMES = ("pseudo", "full", "tokens", "compressed")
_RUN = """
import sys, torch
from pathlib import Path
from torch import nn
from ntkcore.kernels import Compression, empirical_ntk, working_set
torch.set_num_threads(1)
def peak():
    return next(int(l.split()[1]) for l in Path("/proc/self/status").read_text().splitlines() if l.startswith("VmHWM")) * 1024
name, n = sys.argv[1], int(sys.argv[2])
torch.manual_seed(0)
if name == "tokens":
    class Tokens(nn.Module):
        def __init__(self):
            super().__init__()
            self.table, self.head = nn.Embedding(50_000, 8), nn.Linear(8, 3)
        def forward(self, x):
            return self.head(torch.tanh(self.table(x)).mean(1))
    model, x = Tokens().eval(), torch.randint(0, 50_000, (n, 60))
else:
    model = nn.Sequential(nn.Conv2d(1, 16, 3), nn.ReLU(), nn.Conv2d(16, 16, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16 * 64, 3)).eval()
    x = torch.rand(n, 1, 12, 12)
outputs = "full" if name == "full" else "pseudo"
empirical_ntk(model, x[:3], outputs=outputs)
stated, before = working_set(model, x[:2], n=n, outputs=outputs), peak()
empirical_ntk(model, x, outputs=outputs, compression=Compression("projection", 100) if name == "compressed" else None)
print(peak() - before, stated)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "n"),
    soaked(
        [*zip(NAMES, (1200, 400, 300, 1000), strict=True), *zip(NAMES, (2500, 700, 1500, 2000), strict=True)],
        *zip(NAMES, (1200, 400, 300, 1000), strict=True),
    ),
)
def test_the_peak_stays_below_the_formula(name: str, n: int) -> None:
    done = subprocess.run([sys.executable, "-c", _RUN, name, str(n)], capture_output=True, text=True, check=True, timeout=300)
    grown, stated = map(int, done.stdout.split())
    assert grown <= stated
