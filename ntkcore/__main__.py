"""``python -m ntkcore``: see :mod:`ntkcore.cli`."""

import sys

from ntkcore.cli import main

sys.exit(main())
