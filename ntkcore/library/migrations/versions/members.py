"""Members with their roles, logins that were ended, and the audit list.

As they were when they were first made (see :mod:`ntkcore.library.migrations.versions.labels`).
"""

import sqlalchemy as sa
from alembic import op

revision = "members"
down_revision = "analyses"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "member",
        sa.Column("person", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("claimed", sa.Text),
        sa.Column("given", sa.Text),
        sa.Column("seen", sa.Double, nullable=False),
        sa.Column("logins_since", sa.Double, nullable=False),
    )
    op.create_table("ended_login", sa.Column("login", sa.Text, primary_key=True), sa.Column("made", sa.Double, nullable=False))
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("deed", sa.Text, nullable=False),
        sa.Column("thing", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_of", "audit", ["person", "made"])
