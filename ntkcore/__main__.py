"""``python -m ntkcore``: see :mod:`ntkcore.cli`."""

import os
import sys

# Threads that spin while they wait make each other crawl when two processes share the cores; read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from ntkcore.cli import main

if __name__ == "__main__":  # a process started by this one imports this file under another name
    sys.exit(main())
