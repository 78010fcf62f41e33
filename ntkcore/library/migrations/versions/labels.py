"""Sessions of labelling, their decisions, and who has which item before them.

The tables as they were when they were first made, and so no copy of :mod:`ntkcore.library.tables`, which goes on to change: what exists was
made by this text, and later migrations begin from it. A test holds that all of them together make the tables.
"""

import sqlalchemy as sa
from alembic import op

revision = "labels"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "label_session",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("network", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
    )
    op.create_table(
        "label_decision",
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
        sqlite_autoincrement=True,
    )
    op.create_index("label_decision_of", "label_decision", ["session", "item"])
    op.create_table(
        "label_claim",
        sa.Column("session", sa.Text, sa.ForeignKey("label_session.id"), primary_key=True),
        sa.Column("item", sa.Integer, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("until", sa.Double, nullable=False),
    )
