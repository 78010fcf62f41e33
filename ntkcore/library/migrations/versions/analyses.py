"""People, saved analyses and their versions, notes, tags, saved views, baskets, and when somebody last looked.

As they were when they were first made (see :mod:`ntkcore.library.migrations.versions.labels`).
"""

import time

import sqlalchemy as sa
from alembic import op

revision = "analyses"
down_revision = "labels"


def upgrade() -> None:
    """Make the tables, and the one person who is there without a log-in."""
    op.create_table(
        "person",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
    )
    op.create_table(
        "saved_analysis",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("trashed", sa.Double),
    )
    op.create_index("saved_analysis_changed", "saved_analysis", ["changed"])
    op.create_table(
        "saved_version",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("analysis", sa.Text, sa.ForeignKey("saved_analysis.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("spec", sa.Text, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("images", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.UniqueConstraint("analysis", "number", name="saved_version_number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "saved_key",
        sa.Column("version", sa.Integer, sa.ForeignKey("saved_version.id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("bytes", sa.BigInteger, nullable=False),
    )
    op.create_index("saved_key_of", "saved_key", ["kind", "key"])
    op.create_table(
        "note",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("analysis", sa.Text, sa.ForeignKey("saved_analysis.id")),
        sa.Column("image", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("answers", sa.Integer, sa.ForeignKey("note.id")),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("folded", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sa.Column("trashed", sa.Double),
        sqlite_autoincrement=True,
    )
    op.create_index("note_on_analysis", "note", ["analysis"])
    op.create_index("note_on_image", "note", ["image"])
    op.create_index("note_answers", "note", ["answers"])
    op.create_table(
        "image_tag",
        sa.Column("image", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
    )
    op.create_index("image_tag_name", "image_tag", ["name"])
    op.create_table(
        "saved_view",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("visibility", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("page", sa.Text, nullable=False),
        sa.Column("dataset", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("view", sa.Text, nullable=False),
        sa.Column("made", sa.Double, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("saved_view_of", "saved_view", ["page", "dataset"])
    op.create_table(
        "basket",
        sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
        sa.Column("dataset", sa.Text, primary_key=True),
        sa.Column("images", sa.Text, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
    )
    op.create_table(
        "visit",
        sa.Column("visitor", sa.Text, primary_key=True),
        sa.Column("place", sa.Text, primary_key=True),
        sa.Column("made", sa.Double, nullable=False),
    )
    person = sa.table("person", sa.column("id", sa.Text), sa.column("name", sa.Text), sa.column("made", sa.Double))
    op.execute(person.insert().values(id="local", name="local administrator", made=time.time()))
