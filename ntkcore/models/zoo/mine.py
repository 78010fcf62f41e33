"""Networks that a server's administrator brings: functions named by the setting ``NTK_NETWORKS``, and nothing else, are imported.

A function ``package.module:function`` is called with ``classes`` (outputs of the network) and ``input_shape`` (of one sample, ``(c, h, w)``
or ``(d,)``) and returns an ``nn.Module``. Before a process imports one, another does so (:mod:`ntkcore.models.zoo.look`), so that a
function that raises, hangs or returns something else costs bounded time and says so.
"""

import hashlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

from torch import nn

from ntkcore.errors import AtlasError, ModelError
from ntkcore.models.zoo.published import Published
from ntkcore.settings import Factory, settings

REMEDY = "The setting NTK_NETWORKS names a server's own networks."
SECONDS = 60.0  # that importing a function and building its network may take, when it is looked at
_FORGOTTEN = 30.0  # seconds after which one that failed is looked at again
_LOOKING = Lock()
_seen: dict[tuple[Factory, int, tuple[int, ...]], tuple[float, "Looked | ModelError"]] = {}


@dataclass(frozen=True, slots=True)
class Looked:
    """What was seen of a function in a process of its own: its first lines of documentation, the SHA-256 of its file, its parameters."""

    about: str
    code: str
    parameters: int


def names() -> tuple[str, ...]:
    """What this server's own networks are called."""
    return tuple(sorted(factory.name for factory in settings().networks))


def factory_of(name: str) -> Factory:
    """The function behind a name.

    Raises:
        ModelError: there is none.
    """
    found = next((factory for factory in settings().networks if factory.name == name), None)
    if found is None:
        raise ModelError(f"This server has no network {name!r} of its own.", f"It has: {', '.join(names()) or 'none'}. {REMEDY}")
    return found


def looked(name: str, outputs: int, input_shape: tuple[int, ...]) -> Looked:
    """What is seen of the network when a process of its own builds it and shows it one sample; remembered. Of 0 outputs: of the function
    alone, which is imported.

    Raises:
        ModelError: its function raises, takes too long, or returns something that is no such network.
    """
    factory = factory_of(name)
    key = factory, outputs, tuple(input_shape)
    with _LOOKING:
        when, found = _seen.get(key, (0.0, None))
        if found is None or (isinstance(found, ModelError) and time.monotonic() - when > _FORGOTTEN):
            found = _look(factory, outputs, tuple(input_shape))
            _seen[key] = time.monotonic(), found
    if isinstance(found, ModelError):
        raise ModelError(found.message, found.remedy)
    return found


def made(name: str, outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
    """The network, drawn from torch's current random state.

    Raises:
        ModelError: as :func:`looked`.
    """
    factory = factory_of(name)
    looked(name, outputs, input_shape)
    return call(factory, outputs, tuple(input_shape))


def code_of(name: str) -> str:
    """SHA-256 (hex) of the file that the function is in.

    Raises:
        ModelError: it cannot be imported.
    """
    return looked(name, 0, ()).code


def published(name: str) -> Published:
    """Its weights as the setting names them."""
    weights = factory_of(name).weights
    return Published((weights,) if weights else ())


def call(factory: Factory, outputs: int, input_shape: tuple[int, ...]) -> nn.Module:
    """Import the function and call it.

    Raises:
        ModelError: it raises, or returns something else.
    """
    function = function_of(factory)
    try:
        network = function(classes=outputs, input_shape=input_shape)
    except AtlasError:
        raise
    except Exception as error:  # a function of somebody else's can raise anything
        raise ModelError(
            f"{factory.factory} raises {type(error).__name__} for {outputs} outputs and samples of shape {input_shape}: {str(error)[:200]}",
            "Correct the function, or choose another network.",
        ) from error
    if not isinstance(network, nn.Module):
        raise ModelError(f"{factory.factory} returns {type(network).__name__}, not a torch.nn.Module.", "Let it return the network.")
    return network


def function_of(factory: Factory) -> Any:
    """The function, imported.

    Raises:
        ModelError: there is none, or its module raises.
    """
    module, _, function = factory.factory.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except Exception as error:  # importing runs somebody else's code
        raise ModelError(
            f"{factory.factory} cannot be imported ({type(error).__name__}: {str(error)[:200]}).",
            "Install its package where the app and the worker run, or correct NTK_NETWORKS.",
        ) from error
    if not callable(found):
        raise ModelError(f"{factory.factory} is no function.", "Name a function in NTK_NETWORKS.")
    return found


def file_hash(path: str | None) -> str:
    """SHA-256 (hex) of a module's file; "" of one that has none."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path and Path(path).is_file() else ""


def _look(factory: Factory, outputs: int, input_shape: tuple[int, ...]) -> Looked | ModelError:
    asked = json.dumps({"name": factory.name, "factory": factory.factory, "outputs": outputs, "input_shape": input_shape})
    told = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "ntkcore.models.zoo.look"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env=told, text=True, start_new_session=True) as process:
        try:
            said, wrong = process.communicate(asked, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # with whatever it has started, which would hold its pipes open
            return ModelError(
                f"{factory.factory} has not made a network in {SECONDS:g} seconds.", "Let it return sooner, without waiting for anything."
            )
    try:
        answer = json.loads(said.strip().rpartition("\n")[2])
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        last = wrong.strip().rpartition("\n")[2][:200]
        return ModelError(f"Making {factory.factory} ended its process ({last or 'without a word'}).", "Correct the function.")
    if "message" in answer:
        return ModelError(answer["message"], answer["remedy"])
    return Looked(answer["about"], answer["code"], answer["parameters"])
