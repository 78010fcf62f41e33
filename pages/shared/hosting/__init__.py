"""What whoever keeps a server asks it over HTTP: whether it lives, whether it can serve, and its numbers."""

from pages.shared.hosting.console import begin as begin_log
from pages.shared.hosting.counts import Counted
from pages.shared.hosting.routes import routes

__all__ = ["Counted", "begin_log", "routes"]
