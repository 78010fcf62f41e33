"""Active learning: Which images should be labelled next, and how many labels does that save? (Thesis ch. 2; SCIENCE §8)"""

from ntkcore.analyses.active.analysis import ACTIVE
from pages.active.bar import analysis_bar
from pages.active.choice import LINK
from pages.active.result import show_result
from pages.shared.page import Page

Page("active", LINK, analysis_bar, ACTIVE, show_result).draw()
