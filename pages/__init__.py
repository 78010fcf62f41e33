"""The pages: an entry for each, light, so that whoever lists or opens pages need not load them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """What the start page says of a page: a question, what it shows, and the button; ``quick`` where the small digits answer in seconds."""

    question: str
    text: str
    button: str
    quick: bool = True


@dataclass(frozen=True, slots=True)
class Entry:
    """A page.

    Attributes:
        name: its folder; its address, too, unless ``url`` says another.
        title, icon, group: in the sidebar; the group "" is at the top.
        heading: over the page, where that is not its title.
        lead: the one sentence under its title that says what it answers.
        card: on the start page; None: none.
        url: the last part of its address.
        hidden: whether it is left out of the sidebar.
        result: whether it shows an analysis, whose modules are loaded before somebody waits for them.
    """

    name: str
    title: str
    icon: str
    group: str
    lead: str
    card: Card | None = None
    url: str | None = None
    result: bool = False
    heading: str = ""
    hidden: bool = False

    @property
    def file(self) -> str:
        """The script that Streamlit runs."""
        return f"pages/{self.name}/page.py"

    @property
    def path(self) -> str:
        """The last part of its address; "" is the start."""
        return self.name if self.url is None else self.url


PAGES = (
    Entry(
        "start",
        "Start",
        "explore",
        "",
        "See which images a neural network learns easily, which are hard, and whether theory predicted it. "
        "Everything here is computed from one object, the network’s neural tangent kernel, on your images and on this machine.",
        url="",
        heading="NTK Atlas",
    ),
    Entry(
        "learnability",
        "Learnability",
        "school",
        "Explore",
        "Which images does this network learn easily, which are hard, and did the kernel know beforehand?",
        result=True,
    ),
    Entry(
        "influence",
        "Influence",
        "north_east",
        "Explore",
        "Which training images helped or harmed a prediction, and how does that change through training?",
        Card("Who taught it this?", "which of them helped or harmed a prediction, and when in training.", "Trace"),
        result=True,
    ),
    Entry(
        "reliability",
        "Reliability",
        "rule",
        "Explore",
        "When does the usual estimate of influence, an inverse-Hessian-vector product (IHVP), fail, and why?",
        Card("Can influence be estimated?", "when the usual estimate (IHVP) fails, and for which predictions it holds.", "Judge"),
        result=True,
    ),
    Entry(
        "information",
        "Information",
        "fingerprint",
        "Explore",
        "How much does each image tell the network that no other image does, and what follows from that?",
        Card(
            "What does each image add?",
            "which of them tell the network something of their own, which are mislabelled, which can go.",
            "Weigh",
        ),
        result=True,
    ),
    Entry(
        "duplicates",
        "Duplicates",
        "content_copy",
        "Explore",
        "Which images are there more than once, with which labels, and on which side of the division?",
        result=True,
    ),
    Entry(
        "map",
        "Map",
        "scatter_plot",
        "Explore",
        "How does this network see the images: which are alike to it, which lie among another class, and which stand apart?",
        Card("What does it see?", "all of them on the plane of the network’s own kernel, where alike lies near.", "Map"),
        result=True,
    ),
    Entry(
        "convergence",
        "Convergence",
        "compare_arrows",
        "Kernels",
        "How well does the cheap pseudo-NTK stand in for the full empirical NTK, over width and training?",
        Card(
            "How good is the cheap kernel?",
            "The pseudo-NTK costs a small part of the full kernel. See over width and training how well it stands in for it.",
            "Compare",
            quick=False,
        ),
        result=True,
    ),
    Entry(
        "compare",
        "Compare",
        "balance",
        "Kernels",
        "Do two networks, or two choices of one, say the same of the same images, and on which do they part?",
        result=True,
    ),
    Entry(
        "active",
        "Active learning",
        "sell",
        "Act",
        "Which images should be labelled next, and how many labels does that save?",
        Card(
            "What should I label next?",
            "Strategies compete for labels that are known, look-ahead by the kernel among them: who needs the fewest?",
            "Compete",
            quick=False,
        ),
        result=True,
    ),
    Entry(
        "label",
        "Label",
        "new_label",
        "Act",
        "Label next what would change most of what the network says of everything else.",
    ),
    Entry(
        "library",
        "Analyses",
        "bookmarks",
        "Library",
        "What was saved on this server, by whom, and what came of it.",
        heading="Saved analyses",
    ),
    Entry(
        "open",
        "Open",
        "link",
        "Library",
        "A short address opens what somebody saved.",
        hidden=True,
    ),
    Entry(
        "data",
        "Your data",
        "photo_library",
        "Library",
        "Bring images or texts with labels; every page can then work on it, on this machine, as on the sets that come with it.",
        url="images",
    ),
    Entry(
        "jobs",
        "Jobs and cache",
        "database",
        "Library",
        "What this server is computing, and what it keeps so that nothing is computed twice.",
    ),
)
"""In the order of the sidebar."""


def entry(name: str) -> Entry:
    """The page of a name."""
    return next(page for page in PAGES if page.name == name)
