"""Numbers of a server in the text format of Prometheus (version 0.0.4): a line a number, with what it is before the first of its name."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from threading import Lock
from typing import TYPE_CHECKING, Literal

from ntkcore.errors import AtlasError
from ntkcore.hosting.ready import problems

if TYPE_CHECKING:  # loads torch, without which the server is up sooner
    from ntkcore.analyses.workspace import Workspace

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
BEFORE = "ntk_atlas_"
_LAST = 200  # jobs of which those that failed are counted

Labels = Mapping[str, str]
Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One number, or several that differ in their labels.

    Attributes:
        name: without what all begin with.
        help: what it is, in a line.
        kind: whether it goes up and down, or up alone.
        samples: what comes after the name (of a histogram), labels, and the number.
    """

    name: str
    help: str
    kind: Kind
    samples: tuple[tuple[str, Labels, float], ...]


@dataclass(slots=True)
class Results:
    """How many results of each kind are stored, and their bytes; counted anew where one was stored or removed since."""

    _known: dict[str, tuple[int, int, int]] = field(default_factory=dict)  # stamp, count, bytes
    _lock: Lock = field(default_factory=Lock)

    def counted(self, ws: "Workspace") -> Mapping[str, tuple[int, int]]:
        """Count and bytes of each kind.

        Raises:
            StoreError: the disk refuses.
        """
        with self._lock:
            kinds = ws.store.kinds()
            for gone in self._known.keys() - set(kinds):
                del self._known[gone]
            for kind in kinds:
                stamp = ws.store.stamp(kind)
                if self._known.get(kind, (None,))[0] != stamp:
                    entries = ws.store.entries(kind)
                    self._known[kind] = (stamp, len(entries), sum(entry.bytes for entry in entries))
            return {kind: (count, size) for kind, (_, count, size) in sorted(self._known.items())}


def measured(ws: "Workspace", results: Results) -> list[Metric]:
    """What there is of everything; what cannot be asked is left out, and ``ready`` says so."""
    parts = problems(ws)
    found = [_gauge("ready", "Whether a part of the server answers.", "part", {part: float(not said) for part, said in parts.items()})]
    if not parts["jobs"]:
        with suppress(AtlasError):  # away since it was asked
            found += _of_jobs(ws)
    if not parts["store"]:
        counted = results.counted(ws)
        found += [
            _gauge("results", "Stored results.", "kind", {kind: count for kind, (count, _) in counted.items()}),
            _gauge("results_bytes", "Bytes of the stored results.", "kind", {kind: size for kind, (_, size) in counted.items()}),
            Metric("results_budget_bytes", "Bytes of results that are kept.", "gauge", (("", {}, ws.settings.disk_budget),)),
            Metric("disk_free_bytes", "Bytes free on the disk of the results.", "gauge", (("", {}, ws.store.room()),)),
        ]
    return found


def written(metrics: Iterable[Metric]) -> str:
    """The text."""
    lines = []
    for metric in metrics:
        name = BEFORE + metric.name
        lines += [f"# HELP {name} {metric.help}", f"# TYPE {name} {metric.kind}"]
        for suffix, labels, value in metric.samples:
            told = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            lines.append(f"{name}{suffix}{f'{{{told}}}' if told else ''} {value:.17g}")
    return "\n".join([*lines, ""])


def _of_jobs(ws: "Workspace") -> list[Metric]:
    counts, alive = ws.jobs.counts(), [worker for worker in ws.jobs.workers() if worker.alive]
    failed = sum(job.status == "failed" for job in ws.jobs.list(_LAST))
    lanes = {worker.lane: float(sum(other.lane == worker.lane for other in alive)) for worker in alive}
    return [
        _gauge("jobs", "Jobs that wait and that run.", "state", counts),
        Metric("jobs_failed", f"Jobs that failed, of the {_LAST} that were asked for last.", "gauge", (("", {}, failed),)),
        _gauge("workers", "Workers that live, by what they take.", "lane", lanes),
    ]


def _gauge(name: str, told: str, label: str, values: Mapping[str, float]) -> Metric:
    return Metric(name, told, "gauge", tuple(("", {label: text}, value) for text, value in values.items()))


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
