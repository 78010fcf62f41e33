"""Personal tokens.

As they were when they were first made (see :mod:`ntkcore.library.migrations.versions.labels`).
"""

import sqlalchemy as sa
from alembic import op

revision = "tokens"
down_revision = "members"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "token",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("person", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("used", sa.Double),
    )
    op.create_index("token_of", "token", ["person"])
