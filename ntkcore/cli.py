"""The command line: the same analyses without a browser, the worker, imports and downloads."""

import argparse
import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

from ntkcore.errors import AtlasError, ComputationError, SpecError, StoreError
from ntkcore.permalink import CONVERGENCE, INFLUENCE, INFORMATION, LEARNABILITY, LIST_FIELDS, RELIABILITY, Query
from ntkcore.settings import settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, or 1 after saying what is wrong, or 2 for a wrong command line."""
    options = _parser().parse_args(arguments)
    try:
        return options.run(options)
    except AtlasError as error:
        print(f"{error.message}\n{error.remedy}".strip(), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; what was finished is kept, and the same command goes on from there.", file=sys.stderr)
        return 130


_LOOK = ("epoch", "kernel")  # of a view: what the answer speaks of
_MOMENT = ("ridge", "time", "target")
_NETWORK = (*_MOMENT, "verify", "steps", "minibatch", "runs")


def quoted_class(name: str) -> str:
    """A class name as the command line takes it: quoted when it holds a comma or a quote."""
    return '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ntkcore", description="NTK Atlas without a browser.")
    commands = parser.add_subparsers(required=True, metavar="command")

    learn = commands.add_parser("learnability", help="rank images by k(x,x) and test the ranking against training")
    _add_choices(learn, LEARNABILITY.fields)
    learn.add_argument("--top", type=int, default=10, help="rows printed from each end of the ranking")
    learn.add_argument("--csv", type=Path, help="write the whole ranking here")
    learn.set_defaults(run=_learnability)

    converge = commands.add_parser("convergence", help="compare pseudo-NTK and full kernel over width and training")
    _add_choices(converge, [*CONVERGENCE.fields, *_LOOK])
    converge.add_argument("--csv", type=Path, help="write every number of every comparison here")
    converge.set_defaults(run=_convergence)

    influence = commands.add_parser("influence", help="which training images helped or harmed a prediction")
    _add_choices(influence, [*INFLUENCE.fields, *_MOMENT])
    influence.add_argument("--top", type=int, default=10, help="rows printed from each end")
    influence.add_argument("--csv", type=Path, help="write every training image's influence here")
    influence.set_defaults(run=_influence)

    reliable = commands.add_parser("reliability", help="how far the IHVP method is off, over λ")
    _add_choices(reliable, [*RELIABILITY.fields, *_NETWORK])
    reliable.add_argument("--network", action="store_true", help="hold LiSSA on a real network against retraining (minutes)")
    reliable.add_argument("--csv", type=Path, help="write the table here; with --network that of the images left out")
    reliable.set_defaults(run=_reliability)

    verify = commands.add_parser("verify", help="retrain without each of the most influential images, beside the prediction")
    _add_choices(verify, [*INFLUENCE.fields, *_MOMENT])
    verify.add_argument("--widths", default="512", help="units of the two-layer networks, with commas between")
    verify.add_argument("--remove", metavar="NUMBER,...", help="training images to leave out instead, each once")
    verify.add_argument("--together", action="store_true", help="leave those out all at once")
    verify.set_defaults(run=_verify)

    inform = commands.add_parser("information", help="how much each image tells the network that no other does")
    _add_choices(inform, [*INFORMATION.fields, "ridge", "time"])
    inform.add_argument("--top", type=int, default=10, help="rows printed from each end")
    inform.add_argument("--csv", type=Path, help="write every training image's scores here")
    inform.set_defaults(run=_information)

    study = commands.add_parser("study", help="a study of the information page: seeds, retraining, sources (minutes)")
    study.add_argument("name", metavar="study", help="which; any other word lists them")
    _add_choices(study, [*INFORMATION.fields, *INFORMATION.view_fields])
    study.add_argument("--csv", type=Path, help="write its table here")
    study.set_defaults(run=_study)

    worker = commands.add_parser("worker", help="take jobs from the queue until stopped")
    worker.add_argument("--device", default=None, help="cpu, cuda:0, ... (default: NTK_DEVICE)")
    worker.set_defaults(run=_worker)

    bring = commands.add_parser("import", help="import images (zip, folder, Parquet, npz) or texts (CSV, Parquet)")
    bring.add_argument("path", type=Path)
    bring.add_argument("--name", help="what to call it (default: the file's name)")
    bring.add_argument("--side", type=_side, default="auto", help="side of the images in pixels, or auto")
    bring.add_argument("--text-column", default="", help="column of the texts (default: text, review, sentence or content)")
    bring.add_argument("--label-column", default="", help="column of their labels (default: label, sentiment, class or category)")
    bring.add_argument("--vectors", type=Path, help="word vectors in GloVe's text format to average (default: TF-IDF and SVD)")
    bring.add_argument("--dimensions", type=int, default=100, help="numbers that TF-IDF of a text is reduced to")
    bring.set_defaults(run=_import)

    fetch = commands.add_parser("download", help="download a public data set")
    fetch.add_argument("name")
    fetch.set_defaults(run=_download)

    sets = commands.add_parser("datasets", help="list the data sets and whether they are on this machine")
    sets.set_defaults(run=_datasets)
    return parser


def _add_choices(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """The names of a page's address, as options."""
    for name in names:
        parser.add_argument(f"--{name}", action="append", metavar="NAME,..." if name in LIST_FIELDS else name.upper())


def _query(options: argparse.Namespace, names: Iterable[str]) -> Query:
    """What was given of these names, as a page's query."""
    query: Query = {}
    for name in names:
        given = getattr(options, name.replace("-", "_"))
        if given is None:
            continue
        if name in LIST_FIELDS:
            query[name] = [item for row in csv.reader(given, skipinitialspace=True) for item in row]
        else:
            query[name] = given[0] if len(given) == 1 else given
    return query


def _write_csv(rows: Any, path: Path | None) -> None:
    """Write a table of pandas where it is wanted."""
    if path is None:
        return
    try:
        rows.to_csv(path, index=False)
    except OSError as error:
        raise StoreError(f"{path} cannot be written: {error.strerror}.", "The result is stored; name another file.") from error


def _learnability(options: argparse.Namespace) -> int:
    from ntkcore.analyses.workspace import workspace  # torch is loaded by the commands that compute
    from ntkcore.notebook import compute_learnability, ranking

    result = compute_learnability(_query(options, LEARNABILITY.fields), workspace())
    rows = ranking(result)
    _write_csv(rows, options.csv)
    columns = ["id", "label", "predicted", "k_xx", "percentile", "learned_epoch", "final_error"]
    top = max(options.top, 0)
    print(f"Hardest (smallest k(x,x)):\n{rows[columns].head(top).to_string(index=False)}")
    print(f"\nEasiest (largest k(x,x)):\n{rows[columns].tail(top)[::-1].to_string(index=False)}")
    rho = result.correlation
    said = f"{rho.rho:+.3f}, 95 % interval {rho.low:+.3f} to {rho.high:+.3f}" if rho.defined else f"not defined: {rho.reason}"
    print(f"\nSpearman's rho between k(x,x) and the epoch an image is learned: {said}")
    print(f"Stored as {result.key}")
    return 0


def _convergence(options: argparse.Namespace) -> int:
    from ntkcore.analyses.convergence.views import answer
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import comparison_table, compute_convergence

    result, view = compute_convergence(_query(options, [*CONVERGENCE.fields, *_LOOK]), workspace())
    rows = comparison_table(result)
    _write_csv(rows, options.csv)
    form = view.kernel
    columns = {
        "width": "width",
        "seed": "seed",
        "epoch": "epoch",
        f"frobenius_{form}": "difference",
        f"prediction_difference_{form}": "outputs",
        f"agreement_{form}": "agreement",
        f"accuracy_{form}": f"right_{form}",
        "accuracy_full": "right_full",
        "accuracy_network": "right_network",
        f"seconds_{form}": f"seconds_{form}",
        "seconds_full": "seconds_full",
    }
    shown = rows.reindex(columns=list(columns)).rename(columns=columns)
    print(shown.to_string(index=False, float_format=lambda value: f"{value:.3g}", na_rep="-"))
    print()
    for text in (*answer(result, view), *(f"Note: {warning}" for warning in result.warnings)):
        print(text)
    print(f"Stored as {result.key}")
    return 0


def _influence(options: argparse.Namespace) -> int:
    from ntkcore.analyses.influence import noise, views
    from ntkcore.analyses.influence.complexity import groups_of
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import compute_influence, influences

    result, view = compute_influence(_query(options, [*INFLUENCE.fields, *_MOMENT]), workspace())
    rows = influences(result, view.target, view.ridge, view.time)
    now = views.held(result, view, workspace())
    target = views.target_of(result, view, views.tests_shown(result, view, now), now)
    _write_csv(rows, options.csv)
    top, values = max(options.top, 0), rows["influence"]
    name, predicted = result.class_names[result.test_labels[target]], result.class_names[now.predicted[target]]
    print(f"Held-out image {target}: {name}, predicted {predicted}, loss {now.loss[target]:.4g}")
    print(f"Most helpful (its loss would rise without them):\n{rows[values > 0].head(top).to_string(index=False)}")
    print(f"\nMost harmful:\n{rows[values < 0].tail(top)[::-1].to_string(index=False)}")
    print("\nComplexity of ten groups by mean influence, the most harmful first (IF-NTK Fig. 5):")
    try:
        print("  ".join(f"{value:.3g}" for value in groups_of(result, view.ridge, workspace()).complexity))
    except ComputationError as error:  # λ can be too small for the end of training, and large enough for a finite time
        print(f"{error.message} {error.remedy}")
    if (result.labels != result.true_labels).any():
        shares = noise.noise_table(noise.noise_share(result, view.ridge, workspace()))
        print("\nFlipped labels among the most influential, and errors, through training (Fig. 7):")
        print(shares.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
    print(f"Stored as {result.key}")
    return 0


def _reliability(options: argparse.Namespace) -> int:
    from ntkcore.analyses.reliability import views
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import compute_reliability, error_rates

    result, view = compute_reliability(_query(options, [*RELIABILITY.fields, *_NETWORK]), workspace())
    rows = error_rates(result)
    if not options.network:
        _write_csv(rows, options.csv)
    now = views.summary(result, view.ridge, workspace())
    trusted, careful, doubtful = views.counts(now)
    print(rows.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    print(f"\nAt λ = {view.ridge:g}: mean error rate {now.mean:.4g}, median {now.median:.4g}, lower bound {now.bound:.4g}")
    print(
        f"({now.held:,} of {now.pairs:,} pairs satisfy Theorem 3; λ_min = {now.least:.4g}; {now.zero:,} pairs without influence left out)."
    )
    print(f"Held-out images to trust IHVP on: {trusted:,}; with care: {careful:,}; not: {doubtful:,}.")
    if options.network:
        _on_network(result, view, options.csv)
    print(f"Stored as {result.key}")
    return 0


def _on_network(result: Any, view: Any, path: Path | None) -> None:
    from ntkcore.analyses.reliability import answer as views
    from ntkcore.notebook import on_network

    found = on_network(result, view=view)
    _write_csv(views.network_table(found), path)
    print(f"\nOn a real network, held-out image {found.spec.target}:")
    for text in views.answer(found):
        print(text)
    for rows in (views.agreement_table(found), views.gap_table(found)):
        print(f"\n{rows.to_string(index=False, float_format=lambda value: f'{value:.3f}')}")


def _verify(options: argparse.Namespace) -> int:
    from ntkcore.analyses.verification.views import paper_of
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import compute_influence, removals, verifications

    widths, remove = _whole("widths", options.widths), _whole("images", options.remove) if options.remove else ()
    if options.together and not remove:
        raise SpecError("No images are named that would be left out together.", "Name them with --remove.")
    result, view = compute_influence(_query(options, [*INFLUENCE.fields, *_MOMENT]), workspace())
    if options.together:
        rows = removals(result, remove, widths, view.ridge, view.time)
        print(rows.T.to_string(header=False, float_format=lambda value: f"{value:.4g}"))
        return 0
    rows = verifications(result, widths, view.target, view.ridge, view.time, remove)
    print(rows.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    paper = paper_of(result.spec)
    print(f"\nThe paper, {paper.data}, 5000 training images, 40 most influential (IF-NTK Table 1):")
    for width, (pearson, spearman) in sorted(paper.figures.items()):
        print(f"{width:>7} units: Pearson {pearson:.4f}, Spearman {spearman:.4f}")
    return 0


def _information(options: argparse.Namespace) -> int:
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import compute_information, information_table

    result, view = compute_information(_query(options, [*INFORMATION.fields, "ridge", "time"]), workspace())
    rows = information_table(result, view.ridge, view.time)
    _write_csv(rows, options.csv)
    top = max(options.top, 0)
    print(f"Most informative (F-SI in nats, σ = 1):\n{rows.head(top).to_string(index=False)}")
    print(f"\nLeast informative:\n{rows.tail(top)[::-1].to_string(index=False)}")
    print(f"Stored as {result.key}")
    return 0


def _study(options: argparse.Namespace) -> int:
    from ntkcore.analyses.catalogue import STUDIES
    from ntkcore.analyses.workspace import workspace
    from ntkcore.notebook import compute_study

    if options.name not in (names := [study.kind for study in STUDIES]):
        raise SpecError(f"There is no study {options.name!r}.", f"Choose one of: {', '.join(names)}.")
    rows, key = compute_study(options.name, _query(options, [*INFORMATION.fields, *INFORMATION.view_fields]), workspace())
    _write_csv(rows, options.csv)
    print(rows.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    print(f"Stored as {key}")
    return 0


def _whole(what: str, text: str) -> tuple[int, ...]:
    """Whole numbers with commas between."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        raise SpecError(f"The {what} are {text!r}.", "Give whole numbers with commas between.")
    return tuple(map(int, parts))


def _worker(options: argparse.Namespace) -> int:
    from ntkcore.analyses.requests import handlers
    from ntkcore.analyses.workspace import workspace
    from ntkcore.jobs import run_worker

    ws = workspace()
    return run_worker(handlers(ws), ws.settings, device=options.device or ws.device) or 0


def _side(text: str) -> int | Literal["auto"]:
    if text == "auto":
        return "auto"
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"expected a number of pixels or auto, got {text!r}")
    return int(text)


def _import(options: argparse.Namespace) -> int:
    from ntkcore.data import Columns, TextWishes, import_set

    wishes = TextWishes(Columns(options.text_column, options.label_column), options.vectors, options.dimensions)
    report = import_set(options.path, settings(), name=options.name or options.path.stem, side=options.side, texts=wishes)
    print(f"Imported {report.n} {report.kind} of {len(report.class_names)} classes.")
    for note in report.notes if report.kind == "texts" else ():
        print(note)
    print(f"Use it with: --dataset own --own {report.content_id}")
    return 0


def _download(options: argparse.Namespace) -> int:
    from ntkcore.data import download

    def show(done: int, total: int) -> None:
        print(f"\r{done / 1e6:.1f} of {total / 1e6:.1f} MB\033[K", end="", file=sys.stderr, flush=True)

    download(options.name, settings(), progress=show)
    print(f"\n{options.name} is on this machine now.")
    return 0


def _datasets(_: argparse.Namespace) -> int:
    from ntkcore.data import catalogue

    for info in catalogue(settings()):
        print(f"{info.name:14} {info.size:>7} images  {'available' if info.available else info.reason}")
    return 0
