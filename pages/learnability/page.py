"""Learnability: Which images are easy, which are hard, and does k(x,x) predict it? (Learnability; SCIENCE §2)"""

from ntkcore.analyses.learnability.analysis import LEARNABILITY
from pages.learnability.bar import analysis_bar
from pages.learnability.choice import LINK
from pages.learnability.result import show_result
from pages.shared.page import Page

Page("learnability", LINK, analysis_bar, LEARNABILITY, show_result).draw()
