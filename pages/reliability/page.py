"""Reliability: When does the classic influence-function method fail, and why? (IF-NTK; SCIENCE §4)"""

from ntkcore.analyses.reliability.analysis import RELIABILITY
from pages.reliability.choice import LINK
from pages.reliability.result import show_result
from pages.shared.page import Page
from pages.shared.regression.bar import analysis_bar

Page("reliability", LINK, lambda choice: analysis_bar(choice, "reliability"), RELIABILITY, show_result).draw()
