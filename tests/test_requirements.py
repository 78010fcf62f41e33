"""What people read and what is installed are the same: the pins of the requirements, and the locks that come from them."""

import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PARTS = {"app": ["requirements.txt"], "tests": ["requirements.txt", "requirements-dev.txt"]}


def pins(*files: str) -> dict[str, str]:
    """The direct pins by package."""
    found = {}
    for file in files:
        for line in (ROOT / file).read_text().splitlines():
            if re.match(r"[A-Za-z]", line):
                asked = Requirement(line.partition("#")[0].strip())
                found[canonicalize_name(asked.name)] = str(asked.specifier).removeprefix("==")
    return found


def locked(part: str, python: str = "3.11", platform: str = "linux") -> dict[str, tuple[str, int]]:
    """Version and number of hashes of each package that a lock installs there."""
    found = {}
    text = (ROOT / "locks" / f"{part}.lock").read_text().replace("\\\n", " ")
    for line in text.splitlines():
        if re.match(r"[a-z]", line):
            asked = Requirement(line.partition("--hash")[0].strip())
            there = {"python_version": python, "python_full_version": f"{python}.5", "sys_platform": platform, "platform_machine": "x86_64"}
            if asked.marker is None or asked.marker.evaluate(there):
                assert asked.name not in found, asked.name
                found[asked.name] = (str(asked.specifier).removeprefix("=="), line.count("--hash=sha256:"))
    return found


def left_out() -> set[str]:
    return {line for line in (ROOT / "locks" / "left-out.txt").read_text().splitlines() if line and not line.startswith("#")}


@pytest.mark.parametrize("python", ["3.11", "3.12"])
@pytest.mark.parametrize("part", PARTS)
def test_a_lock_holds_every_direct_pin_with_hashes_and_nothing_that_is_left_out(part, python):
    found = locked(part, python)
    for name, version in pins(*PARTS[part]).items():
        if name not in left_out():
            assert found[name][0] == version, f"{name}: run ./atlas lock"
    assert all(hashes for _, hashes in found.values())
    assert not left_out() & set(found) and "keras" not in found


def test_the_tests_lock_is_the_apps_and_more():
    assert locked("app").items() <= locked("tests").items()


def test_what_is_left_out_for_processors_is_torch_and_cuda_alone():
    """The names that `./atlas` takes out of a lock where there is no GPU, by the pattern it has."""
    pattern = re.search(r"skip = /(.*?)/ }", (ROOT / "atlas").read_text())
    assert pattern is not None
    names = {name for name, (version, _) in locked("app").items() if re.match(pattern[1], f"{name}=={version}")}
    assert {"torch", "triton"} <= names and "torchvision" not in names
    assert all(name in ("torch", "triton") or name.startswith(("nvidia-", "cuda-")) for name in names)
    mac = locked("app", platform="darwin")
    assert not any(name.startswith(("nvidia-", "cuda-")) for name in mac)
