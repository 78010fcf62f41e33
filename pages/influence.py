"""Influence: which training images made a prediction, and how that changes through training? (IF-NTK; SCIENCE §3-5)"""

from pages.parts import links
from pages.parts.analysis import analysis_page
from pages.parts.influence_bar import analysis_bar
from pages.parts.influence_job import show_influence
from pages.parts.influence_result import show_result

analysis_page(
    "Influence",
    "Which training images helped or harmed a prediction, and how does that change through training?",
    links.influence,
    analysis_bar,
    lambda spec: show_influence(spec, show_result),
)
