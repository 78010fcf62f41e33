"""Label: choose a session or begin one; then one item after another, the one that teaches most first."""

from pages.label import begin, session
from pages.shared.page import heading


def page() -> None:
    """The session that the address names, or all of them."""
    heading("label")
    chosen = session.named()
    if chosen is None:
        begin.show()
    else:
        session.show(chosen)


page()
