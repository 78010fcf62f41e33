"""Settings of one installation, read from environment variables with the prefix ``NTK_``; each has a default that works."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import psutil
from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ntkcore.roles import ROLES, Role

_ROOT = Path(__file__).resolve().parent.parent


class Factory(BaseModel):
    """A network of the server's own: its name (``mine:NAME``), the function that makes it, its weights' file in the weights folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")
    factory: str = Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$", description="package.module:function")
    weights: str = Field("", pattern=r"^([A-Za-z0-9_][A-Za-z0-9_.-]*)?$", description="name of a file")


class Settings(BaseSettings):
    """One installation's settings; ``NTK_CACHE_DIR=/big/disk`` sets ``cache_dir``."""

    model_config = SettingsConfigDict(env_prefix="NTK_", frozen=True)

    cache_dir: Path = Field(_ROOT / "cache", description="home of everything computed, downloaded or uploaded")
    data_dir: Path | None = Field(None, description="folder of data sets; default: <cache_dir>/data")
    weights_dir: Path | None = Field(
        None, description="folder of pretrained weights; default: <cache_dir>/weights, then <data_dir>/../weights"
    )
    networks: tuple[Factory, ...] = Field(
        (),
        description='networks of the server\'s own (JSON): {"NAME": "package.module:function"}, or with weights '
        '{"NAME": {"factory": "package.module:function", "weights": "FILE"}}',
    )
    import_roots: tuple[Path, ...] = Field((), description="server folders from which the page may import image sets (JSON list)")
    database_url: str | None = Field(
        None, repr=False, description="SQLAlchemy URL of the job queue, and on PostgreSQL of the library; default: SQLite in cache_dir"
    )
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    threads: int = Field(0, ge=0, description="CPU threads of a worker; 0 = all cores")
    disk_budget: int = Field(50 * 2**30, gt=0, description="bytes of artifacts kept before the least recently used is evicted")
    device_cache: int = Field(2 * 2**30, gt=0, description="bytes of hot arrays kept in memory, shared by all sessions")
    decoded_cache: int = Field(4 * 2**30, ge=0, description="bytes of photographs kept decoded at the sizes that analyses asked for")
    job_memory: int = Field(0, ge=0, description="bytes one job may use; 0 = three quarters of this machine's memory")
    upload_limit: int = Field(500 * 2**20, gt=0, description="bytes of one uploaded file")
    session_uploads: int = Field(
        0, ge=0, description="bytes of uploads that one session may hold in the server's memory; 0 = three times upload_limit"
    )
    image_pixels: int = Field(25_000_000, gt=0, description="pixels of one image before it is refused")
    lease_seconds: float = Field(30.0, gt=0, description="silence after which a worker is taken for dead")
    late_address: float = Field(
        3.0,
        ge=0,
        description="seconds in which an older address of a session is taken for a browser's late answer, not for its back button",
    )
    secret: str | None = Field(None, repr=False, description="key that signs thumbnail addresses; default: made once and kept in cache_dir")
    embed_from: tuple[str, ...] = Field((), description="origins that may show the app in a frame (JSON list); default: none")
    origins: tuple[str, ...] = Field(
        (), description="addresses, as https://atlas.example.org, under which a proxy serves the app (JSON list); its own is known"
    )
    administrators: tuple[str, ...] = Field(
        (), description="whom a login makes administrators (JSON list): e-mail addresses that the provider has verified, or subjects"
    )
    role_claim: str = Field("", description="claim of the login that says a person's roles, as groups or realm_access.roles; default: none")
    role_names: tuple[tuple[str, Role], ...] = Field(
        (), description='which role a value of that claim is (JSON): {"lab-staff": "analyst"}; a role\'s own name always is'
    )
    default_role: Role | Literal["none"] = Field(
        "viewer", description="role of whoever logs in and has no other; none: an administrator gives it"
    )
    login_hours: float = Field(168.0, gt=0, description="hours after which one logs in again")
    waiting_jobs: int = Field(20, ge=0, description="jobs that one person of a server with a login may have waiting; 0 = any number")
    metrics_token: str | None = Field(None, repr=False, description="who sends it as a bearer token is told the numbers of /metrics")
    log_format: Literal["lines", "json"] = Field("lines", description="how server and workers log: as lines, or each a JSON object")
    log_requests: bool = Field(False, description="whether the server logs a line for each request")
    person_disk: int = Field(
        20 * 2**30,
        ge=0,
        description="bytes of saved results, own sets and uploads that one person of a server with a login may fill; 0 = any number",
    )
    start_worker: bool = Field(True, description="start a worker process with the app when none runs")

    @field_validator("networks", mode="before")
    @classmethod
    def _named(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        return tuple({"name": name} | ({"factory": told} if isinstance(told, str) else dict(told)) for name, told in given.items())

    @field_validator("role_names", mode="before")
    @classmethod
    def _paired(cls, given: Any) -> Any:
        return tuple(given.items()) if isinstance(given, Mapping) else given

    def role_of(self, values: frozenset[str]) -> Role | None:
        """The highest role that values of the claim name; None: they name none."""
        named: dict[str, Role] = {role: role for role in ROLES} | dict(self.role_names)
        found = {named[value] for value in values if value in named}
        return max(found, key=ROLES.index, default=None)

    @property
    def data_path(self) -> Path:
        """Folder of data sets."""
        return self.data_dir or self.cache_dir / "data"

    @property
    def weights_paths(self) -> tuple[Path, ...]:
        """Folders searched for pretrained weights, first match wins."""
        if self.weights_dir:
            return (self.weights_dir,)
        return (self.cache_dir / "weights", self.data_path.parent / "weights")

    @property
    def job_bytes(self) -> int:
        """Bytes of memory one job may use."""
        return self.job_memory or int(psutil.virtual_memory().total) * 3 // 4

    @property
    def session_upload_bytes(self) -> int:
        """Bytes of uploads that one session may hold in memory: a file, its word vectors, and one that replaces either."""
        return self.session_uploads or 3 * self.upload_limit

    @property
    def queue_url(self) -> str:
        """SQLAlchemy URL of the job queue."""
        return self.database_url or f"sqlite:///{self.cache_dir / 'jobs.sqlite'}"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The process's settings, read once (tests clear it with ``settings.cache_clear()``)."""
    return Settings()
