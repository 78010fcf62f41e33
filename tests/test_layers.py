"""The layers of the design are law: imports point downward only, and Streamlit lives in the pages."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LEVELS = {
    "errors": 0,
    "private": 0,
    "remote": 0,
    "roles": 0,
    "settings": 1,
    "short": 0,
    "vision": 0,
    "architecture": 1,
    "cores": 1,
    "linalg": 1,
    "specs": 1,
    "logs": 2,
    "permalink": 2,
    "data": 3,
    "models": 3,
    "store": 3,
    "kernels": 4,
    "regression": 5,
    "embedding": 6,
    "learnability": 6,
    "convergence": 6,
    "influence": 6,
    "information": 6,
    "active": 7,
    "jobs": 7,
    "library": 7,
    "analyses": 8,
    "backup": 8,
    "figures": 9,
    "hosting": 9,
    "notebook": 10,
    "report": 10,
    "cli_host": 11,
    "cli_out": 11,
    "cli": 12,
    "__main__": 13,
}
BARE = {"numpy", "scipy", "torch", "ntkcore.cores", "ntkcore.errors", "ntkcore.linalg"}
JAX = {"jax", "jaxlib", "neural_tangents"}
JAX_BACKEND = ROOT / "ntkcore" / "kernels" / "jax_backend.py"
MATHEMATICS = ("kernels", "regression", "learnability", "convergence", "influence", "information", "active")
SOURCES = sorted((ROOT / "ntkcore").rglob("*.py"))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


@cache
def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module)
    return found


def part(module: str) -> str:
    return module.split(".")[1] if module.startswith("ntkcore.") else ""


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downward(path):
    inside = path.relative_to(ROOT / "ntkcore").parts
    if inside == ("__init__.py",):
        return
    own = inside[0].removesuffix(".py")
    for module in imports(path):
        assert module.split(".")[0] not in ("streamlit", "pages", "app"), f"{path} imports {module}"
        other = part(module)
        if other and other != own:
            assert LEVELS[other] < LEVELS[own], f"{own} imports {other}"


@pytest.mark.parametrize("folder", MATHEMATICS)
def test_the_mathematics_needs_numpy_scipy_and_torch_alone(folder):
    allowed = BARE | ({"ntkcore.architecture"} if folder == "kernels" else set())  # pure Python: what a network is
    for path in (ROOT / "ntkcore" / folder).rglob("*.py"):
        for module in imports(path):
            top = module.split(".")[0]
            if top in sys.stdlib_module_names or part(module) in MATHEMATICS or (path == JAX_BACKEND and top in JAX):
                continue
            assert top in allowed or module in allowed, f"{path} imports {module}"


def test_jax_is_imported_by_one_module_when_it_is_used():
    for path in SOURCES:
        tree = parsed(path)
        inside = {id(node) for function in ast.walk(tree) if isinstance(function, ast.FunctionDef) for node in ast.walk(function)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module]
                if JAX & {name.split(".")[0] for name in names}:
                    assert path == JAX_BACKEND, f"{path}:{node.lineno}"
                    assert id(node) in inside, f"{path}:{node.lineno}"


def test_figures_do_no_streamlit_and_pages_no_mathematics():
    for path in (ROOT / "pages").rglob("*.py"):
        for module in imports(path):
            assert part(module) not in (*MATHEMATICS, "models"), f"{path} imports {module}"


def test_nothing_is_unpickled():
    for path in SOURCES:
        tree = parsed(path)
        assert not {"pickle", "dill", "cloudpickle", "joblib"} & {m.split(".")[0] for m in imports(path)}, path
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "load":
                words = {k.arg for k in node.keywords}
                if isinstance(node.func.value, ast.Name) and node.func.value.id in ("np", "numpy"):
                    assert "allow_pickle" in words or "mmap_mode" in words, f"{path}:{node.lineno}"
                if isinstance(node.func.value, ast.Name) and node.func.value.id == "torch":
                    assert "weights_only" in words, f"{path}:{node.lineno}"


def page_of(module: str) -> str:
    """The page whose module it is; "" for what pages share and for what is no page."""
    parts = module.split(".")
    return parts[1] if parts[0] == "pages" and len(parts) > 1 and parts[1] != "shared" else ""


def modules_of(path: Path) -> set[str]:
    """Every module that a file imports, also where a name is a module: ``from pages.influence import held``."""
    found = set(imports(path))
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.ImportFrom):
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


PAGE_FILES = sorted((ROOT / "pages").rglob("*.py"))


@pytest.mark.parametrize("path", PAGE_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_page_imports_another_page(path):
    own = page_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    folders = {folder.name for folder in (ROOT / "pages").iterdir() if folder.is_dir()}
    for module in modules_of(path):
        other = page_of(module)
        if other in folders:
            assert other == own, f"{path} imports {module}"


def test_pages_are_folders_with_a_page_each():
    top = {path.name for path in (ROOT / "pages").iterdir() if path.name != "__pycache__"}
    assert {name for name in top if (ROOT / "pages" / name).is_file()} == {"__init__.py"}
    for name in top - {"__init__.py", "shared"}:
        assert (ROOT / "pages" / name / "page.py").is_file(), name


def test_the_list_of_pages_is_light_and_whole():
    """Whoever lists or opens pages loads none of them, and no mathematics."""
    from pages import PAGES

    light = sys.stdlib_module_names | {"ntkcore.roles"}  # says which role sees a page
    assert imports(ROOT / "pages" / "__init__.py") <= light
    assert {module.split(".")[0] for module in imports(ROOT / "ntkcore" / "roles.py")} <= sys.stdlib_module_names
    assert {page.name for page in PAGES} == {path.parent.name for path in (ROOT / "pages").glob("*/page.py")} - {"shared"}
    for folder in ("permalink", "specs"):
        for path in (ROOT / "ntkcore" / folder).rglob("*.py"):
            assert not {"torch", "jax", "numpy", "zarr"} & {module.split(".")[0] for module in imports(path)}, path


def test_the_top_floor_of_the_analyses_stays_small():
    assert len([path for path in (ROOT / "ntkcore" / "analyses").iterdir() if path.is_file()]) <= 20


def needed(path: Path, known: set[str]) -> set[str]:
    """The modules of ours that must be loaded before a file is; not those that a function loads when it is called."""
    tree = parsed(path)
    later = {id(inner) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for inner in ast.walk(node)}
    later |= {id(inner) for node in tree.body if isinstance(node, ast.If) for inner in ast.walk(node)}  # for the type checker
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and id(node) not in later:
            parts = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (parts & known) or {node.module}
    return found & known


def test_no_circle_of_imports():
    names = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in (*SOURCES, *PAGE_FILES)}
    known = set(names.values())
    arrows = {name: needed(path, known) - {name} for path, name in names.items()}
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join((*way[way.index(name) :], name))
        if name not in done:
            for other in sorted(arrows[name]):
                visit(other, (*way, name))
            done.add(name)

    for name in sorted(known):
        visit(name, ())
