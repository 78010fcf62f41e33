"""The tables of the library. What changes here needs a migration, too (:mod:`ntkcore.library.migrations`)."""

import sqlalchemy as sa

METADATA = sa.MetaData()

SESSIONS = sa.Table(
    "label_session",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("spec", sa.Text, nullable=False),
    sa.Column("network", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
)
"""One set of things that are labelled together; ``spec`` and ``network`` are JSON that whoever opened it understands."""

DECISIONS = sa.Table(
    "label_decision",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("session", sa.Text, sa.ForeignKey("label_session.id"), nullable=False),
    sa.Column("item", sa.Integer, nullable=False),
    sa.Column("deed", sa.Text, nullable=False),
    sa.Column("label", sa.Integer),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("told", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("undone", sa.Double),
    sa.Index("label_decision_of", "session", "item"),
    sqlite_autoincrement=True,
)
"""Every decision that was ever taken, in order; what holds of an item is its last one that was not undone. Nothing is deleted."""

CLAIMS = sa.Table(
    "label_claim",
    METADATA,
    sa.Column("session", sa.Text, sa.ForeignKey("label_session.id"), primary_key=True),
    sa.Column("item", sa.Integer, primary_key=True),
    sa.Column("holder", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)
"""Who has which item before them, and until when nobody else gets it."""
