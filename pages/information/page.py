"""Information: how much does each image tell the network that no other does, and what to do about it? (Unique-info; SCIENCE §6)"""

from pages.information.choice import LINK
from pages.information.result import show_result
from pages.shared.page import analysis_page
from pages.shared.regression.bar import analysis_bar
from pages.shared.regression.job import show_influence

analysis_page(
    "Information",
    "How much does each image tell the network that no other image does, and what follows from that?",
    LINK,
    lambda choice: analysis_bar(choice, "information"),
    lambda spec: show_influence(spec, show_result),
)
