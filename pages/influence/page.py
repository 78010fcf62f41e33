"""Influence: which training images made a prediction, and how that changes through training? (IF-NTK; SCIENCE §3-5)"""

from pages.influence.choice import LINK
from pages.influence.result import show_result
from pages.shared.page import analysis_page
from pages.shared.regression.bar import analysis_bar
from pages.shared.regression.job import show_influence

analysis_page(
    "Influence",
    "Which training images helped or harmed a prediction, and how does that change through training?",
    LINK,
    analysis_bar,
    lambda spec: show_influence(spec, show_result),
)
