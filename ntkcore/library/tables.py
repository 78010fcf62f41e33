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

PEOPLE = sa.Table(
    "person",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
)
"""Everybody who owns something. Without a log-in that is one administrator, ``local``, whoever sits at the browser."""

ANALYSES = sa.Table(
    "saved_analysis",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("trashed", sa.Double),
    sa.Index("saved_analysis_changed", "changed"),
)
"""A saved analysis: its id is its short address; ``version`` is the number of the one that holds, the last."""

VERSIONS = sa.Table(
    "saved_version",
    METADATA,
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
"""What was saved each time. ``spec``, ``view`` and ``images`` are JSON, ``source`` is the id of the set of images, and ``folded`` holds the
words that a search looks through."""

KEYS = sa.Table(
    "saved_key",
    METADATA,
    sa.Column("version", sa.Integer, sa.ForeignKey("saved_version.id"), primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    sa.Index("saved_key_of", "kind", "key"),
)
"""The stored results that a version shows, which are kept as long as it is, and their bytes."""

NOTES = sa.Table(
    "note",
    METADATA,
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
    sa.Index("note_on_analysis", "analysis"),
    sa.Index("note_on_image", "image"),
    sa.Index("note_answers", "answers"),
    sqlite_autoincrement=True,
)
"""Notes on an analysis, on an image by the hash of its content, or on a place in an analysis: JSON, such as a moment; and answers."""

TAGS = sa.Table(
    "image_tag",
    METADATA,
    sa.Column("image", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Index("image_tag_name", "name"),
)
"""Tags of images, by the hash of their content."""

VIEWS = sa.Table(
    "saved_view",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("visibility", sa.Text, nullable=False),
    sa.Column("author", sa.Text, nullable=False),
    sa.Column("page", sa.Text, nullable=False),
    sa.Column("dataset", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("view", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Index("saved_view_of", "page", "dataset"),
    sqlite_autoincrement=True,
)
"""Named ways of looking at a page: JSON of its view, for the images it was saved with."""

BASKETS = sa.Table(
    "basket",
    METADATA,
    sa.Column("owner", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("dataset", sa.Text, primary_key=True),
    sa.Column("images", sa.Text, nullable=False),
    sa.Column("changed", sa.Double, nullable=False),
)
"""The images that a person has collected of a draw: JSON."""

VISITS = sa.Table(
    "visit",
    METADATA,
    sa.Column("visitor", sa.Text, primary_key=True),
    sa.Column("place", sa.Text, primary_key=True),
    sa.Column("made", sa.Double, nullable=False),
)
"""When somebody last looked at a place, such as the library: a person, or without a log-in a browser."""

MEMBERS = sa.Table(
    "member",
    METADATA,
    sa.Column("person", sa.Text, sa.ForeignKey("person.id"), primary_key=True),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("claimed", sa.Text),
    sa.Column("given", sa.Text),
    sa.Column("seen", sa.Double, nullable=False),
    sa.Column("logins_since", sa.Double, nullable=False),
)
"""Everybody who ever logged in: the role that their login claimed, the one that an administrator gave, when they were last here, and
before when no login of theirs holds any more."""

ENDED = sa.Table(
    "ended_login",
    METADATA,
    sa.Column("login", sa.Text, primary_key=True),
    sa.Column("made", sa.Double, nullable=False),
)
"""Logins that were signed out of before they expired."""

TOKENS = sa.Table(
    "token",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("person", sa.Text, sa.ForeignKey("person.id"), nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Column("used", sa.Double),
    sa.Index("token_of", "person"),
)
"""Personal tokens: ``digest`` is the SHA-256 of the secret, which is kept nowhere. A revoked one is gone."""

AUDIT = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("deed", sa.Text, nullable=False),
    sa.Column("thing", sa.Text, nullable=False),
    sa.Column("made", sa.Double, nullable=False),
    sa.Index("audit_of", "person", "made"),
    sqlite_autoincrement=True,
)
"""Who deleted, exported or changed roles. Names are as they were; nothing is changed or deleted here."""
