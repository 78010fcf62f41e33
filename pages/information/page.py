"""Information: How much does each image tell the network that no other does, and what to do about it? (Unique-info; SCIENCE §6)"""

from ntkcore.analyses.information.analysis import INFORMATION
from pages.information.choice import LINK
from pages.information.result import show_result
from pages.shared.page import Page
from pages.shared.regression.bar import analysis_bar

Page("information", LINK, lambda choice: analysis_bar(choice, "information"), INFORMATION, show_result).draw()
