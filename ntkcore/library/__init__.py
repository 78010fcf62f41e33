"""What people decide, kept on the server: their labels, one database beside that of the jobs."""

from ntkcore.library.database import Library
from ntkcore.library.labels import Decision, Labels, Session, Standing, Taken

__all__ = ["Decision", "Labels", "Library", "Session", "Standing", "Taken"]
