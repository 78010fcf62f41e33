"""The read-only API for programs: saved analyses, results and images, as JSON."""

from pages.shared.api.routes import routes

__all__ = ["routes"]
