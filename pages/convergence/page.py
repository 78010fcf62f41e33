"""Convergence: how well the pseudo-NTK stands in for the full empirical NTK, over width and training (Thesis ch. 3; SCIENCE §7)."""

from ntkcore.analyses.convergence.analysis import CONVERGENCE
from pages.convergence.bar import analysis_bar
from pages.convergence.choice import LINK
from pages.convergence.result import show_result, show_states
from pages.shared.page import Page

Page("convergence", LINK, analysis_bar, CONVERGENCE, show_result, show_states).draw()
