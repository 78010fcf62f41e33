"""Influence: Which training images made a prediction, and how that changes through training? (IF-NTK; SCIENCE §3-5)"""

from ntkcore.analyses.influence.analysis import INFLUENCE
from pages.influence.choice import LINK
from pages.influence.result import show_result
from pages.shared.page import Page
from pages.shared.regression.bar import analysis_bar

Page("influence", LINK, lambda choice: analysis_bar(choice, "influence"), INFLUENCE, show_result).draw()
