"""The databases of the library's tests."""

from databases import both, opened, postgresql

__all__ = ["both", "opened", "postgresql"]
