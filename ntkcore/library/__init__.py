"""What people decide and write, kept on the server: labels, saved analyses, notes, tags; one database beside that of the jobs."""

from ntkcore.library.database import Library
from ntkcore.library.labels import Decision, Labels, Session, Standing, Taken
from ntkcore.library.people import LOCAL, Person, Visibility
from ntkcore.library.saved import Content, Saved, Version

__all__ = ["LOCAL", "Content", "Decision", "Labels", "Library", "Person", "Saved", "Session", "Standing", "Taken", "Version", "Visibility"]
