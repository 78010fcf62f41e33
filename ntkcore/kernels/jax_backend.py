"""JAX and neural-tangents, imported when first used: the only module that does so."""

import importlib
import logging
import os
import sys
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from threading import Lock
from types import ModuleType

from ntkcore.errors import ModelError

_LOADING = Lock()


@dataclass(frozen=True, slots=True)
class Libraries:
    """JAX and neural-tangents, and the context in which JAX computes in float64."""

    jax: ModuleType
    nt: ModuleType
    double: Callable[[], AbstractContextManager]


def libraries() -> Libraries:
    """The two libraries, imported at the first call.

    neural-tangents also imports a bridge to TensorFlow, which takes seconds and hundreds of megabytes and writes to the terminal. Nothing
    here uses it, so an empty module stands in its place while neural-tangents is imported.

    Raises:
        ModelError: they are not installed.
    """
    with _LOADING, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # neural-tangents 0.6.5 uses names that JAX 0.5 deprecates
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")  # else JAX takes most of a GPU that torch uses, too
        logging.getLogger("jax._src.xla_bridge").setLevel(logging.ERROR)  # it warns of a GPU that this JAX cannot use
        try:
            import jax
            from jax.experimental import enable_x64

            if "neural_tangents" not in sys.modules:
                _import_without_bridge()
            import neural_tangents
        except ImportError as error:
            raise ModelError(
                f"Infinite-width kernels need JAX and neural-tangents, which are not installed ({error}).",
                "Install them: ./atlas start does, or pip install -r requirements.txt.",
            ) from error
    return Libraries(jax, neural_tangents, enable_x64)


def _import_without_bridge() -> None:
    bridge = "neural_tangents.experimental"
    sys.modules[bridge] = ModuleType(bridge)
    try:
        importlib.import_module("neural_tangents")
    finally:
        del sys.modules[bridge]
