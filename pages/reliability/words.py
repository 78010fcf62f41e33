"""The words of the reliability page."""

from ntkcore.analyses.reliability.views import LIGHTS, THRESHOLDS

SIGNS = dict(zip(LIGHTS, ("●", "◐", "○"), strict=True))
WORDS = dict(zip(LIGHTS, ("Trust", "With care", "Do not trust"), strict=True))
COLOURS = dict(zip(LIGHTS, ("green", "orange", "red"), strict=True))
RULE_WORDS = (
    "Judged by the most influential training images of each. <b>Trust</b>: Î ranks them as I does (Spearman’s ρ at least "
    f"{THRESHOLDS.green_rank:g}), and half of them are at most {THRESHOLDS.green_rate:.0%} off. <b>Do not trust</b>: ρ is below "
    f"{THRESHOLDS.red_rank:g}, or half of them are more than {THRESHOLDS.red_rate:.0%} off. <b>With care</b>: in between. "
    "The thresholds are ours."
)
