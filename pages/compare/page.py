"""Compare: Do two networks, or two choices of one, say the same of the same images?"""

from ntkcore.analyses.compare.analysis import COMPARE
from pages.compare.bar import compare_bars
from pages.compare.choice import LINK
from pages.compare.result import show_result
from pages.shared.page import Page

Page("compare", LINK, compare_bars, COMPARE, show_result).draw()
