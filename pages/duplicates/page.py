"""Duplicates: Which images are there more than once, with which labels, and on which side of the division?"""

from ntkcore.analyses.duplicates.analysis import DUPLICATES
from pages.duplicates.bar import analysis_bar
from pages.duplicates.choice import LINK
from pages.duplicates.result import show_result
from pages.shared.page import Page

Page("duplicates", LINK, analysis_bar, DUPLICATES, show_result).draw()
