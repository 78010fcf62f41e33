"""What the API is asked, and what it answers; its schema is made of these."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ntkcore.library import Visibility
from ntkcore.library.shelf import Order, Scope

API = "/api/v1"
"""What every address of it begins with."""
ROWS = 10_000
"""Of a table that one answer has at most."""


class Query(BaseModel):
    """What comes after the ``?``: anything else is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AnalysesQuery(Query):
    """Which saved analyses are wanted, as on the page *Saved analyses*."""

    search: str = Field("", max_length=400, description="words that must all be in its texts, a note on it, or a tag of its images")
    analysis: tuple[str, ...] = Field((), description="of these analyses alone, as learnability; may be said several times")
    scope: Scope = Field("all", description="everybody's, one's own, or the trash")
    order: Order = Field("newest", description="of the list")
    first: int = Field(0, ge=0, description="how many to pass over")
    count: int = Field(24, ge=1, le=100, description="how many at most")


class RowsQuery(Query):
    """Which rows of a table are wanted."""

    first: int = Field(0, ge=0, description="how many to pass over")
    count: int = Field(1000, ge=1, le=ROWS, description="how many at most")


class ResultQuery(RowsQuery):
    """Which rows of a result are wanted."""

    analysis: str = Field("", max_length=40, description="with a key: which of the analyses that show this result; default: the first")


class NoQuery(Query):
    """Nothing comes after it."""


class Answer(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


class Problem(Answer):
    """What is wrong, and what to do."""

    message: str
    remedy: str


class Summary(Answer):
    """A saved analysis."""

    code: str = Field(description="its short code: always the newest version")
    reference: str = Field(description="the code with the number of this version, for good")
    version: int
    newest: int = Field(description="number of the version that holds")
    analysis: str = Field(description="as learnability")
    title: str
    description: str
    answer: str = Field(description="in one sentence")
    dataset: str = Field(description="its images in words")
    author: str
    made: datetime
    visibility: Visibility
    trashed: bool
    notes: int = Field(description="how many there are on it")
    address: str = Field(description="of its page, from the server's root")


class Listed(Answer):
    """Some of those that were found."""

    count: int = Field(description="of all that were found")
    first: int = Field(description="how many were passed over")
    analyses: list[Summary]


class Stored(Answer):
    """A stored result that a saved analysis shows."""

    kind: str
    key: str
    bytes: int


class Whole(Summary):
    """A saved analysis with what was chosen."""

    spec: dict[str, Any] = Field(description="what is computed")
    view: dict[str, Any] = Field(description="how it is looked at")
    results: list[Stored]


class Result(Answer):
    """What an analysis says: its sentences, and rows of its table."""

    analysis: str
    title: str
    key: str
    reference: str | None = Field(description="of the saved analysis; null where it was asked for by its key")
    answer: list[str]
    columns: list[str]
    count: int = Field(description="of all rows")
    first: int
    rows: list[dict[str, Any]] = Field(description="a value for each column; null where there is none")


class Image(Answer):
    """An image, or a text, of an analysis."""

    image: int = Field(description="its place among the images of the analysis, from 0")
    id: str = Field(description="its name in its set")
    label: str
    thumbnail: str = Field(description="address of a PNG or JPEG, from the server's root; holds until the next day ends (UTC)")
    text: str | None = Field(description="of a text: itself; null for an image")
    scores: dict[str, Any] = Field(description="what the analysis says of it, by name")


class Images(Answer):
    """Some of the images of a saved analysis."""

    analysis: str
    title: str
    reference: str
    kind: Literal["image", "text"]
    count: int = Field(description="of all images")
    first: int
    images: list[Image]
