"""Frozen reports: what an analysis says, in one file that opens without a server and without a network."""

from ntkcore.report.build import build
from ntkcore.report.parts import Line, Note, Report, Saved, contents
from ntkcore.report.write import write

__all__ = ["Line", "Note", "Report", "Saved", "build", "contents", "write"]
