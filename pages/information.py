"""Information: how much does each image tell the network that no other does, and what to do about it? (Unique-info; SCIENCE §6)"""

from pages.parts import links
from pages.parts.analysis import analysis_page
from pages.parts.influence_bar import analysis_bar
from pages.parts.influence_job import show_influence
from pages.parts.information_result import show_result

analysis_page(
    "Information",
    "How much does each image tell the network that no other image does, and what follows from that?",
    links.information,
    lambda choice: analysis_bar(choice, "information"),
    lambda spec: show_influence(spec, show_result),
)
