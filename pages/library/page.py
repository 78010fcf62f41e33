"""Library: what was saved on this server."""

from pages.library.shelf import show
from pages.shared.page import heading

heading("library")
show()
