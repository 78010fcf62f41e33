"""Map: How does this network see the images, which are alike to it, and which stand apart?"""

from ntkcore.analyses.map.analysis import MAP
from pages.map.choice import LINK
from pages.map.result import show_result
from pages.shared.page import Page
from pages.shared.regression.bar import analysis_bar

Page("map", LINK, lambda choice: analysis_bar(choice, "map"), MAP, show_result).draw()
