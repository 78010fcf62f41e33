"""The databases of the library's tests."""

from databases import both, opened

__all__ = ["both", "opened"]
