"""A process that imports one of a server's own networks, builds it and shows it one sample, and says what it saw or what is wrong.

Read from standard input: ``name``, ``factory``, ``outputs``, ``input_shape``; the last line of standard output is the answer, as JSON.
"""

import json
import sys
from typing import Any

import torch

from ntkcore.errors import AtlasError, ModelError
from ntkcore.models.zoo.mine import call, file_hash, function_of
from ntkcore.settings import Factory


def look(asked: dict[str, Any]) -> dict[str, Any]:
    """What was asked for, looked at."""
    factory = Factory(name=asked["name"], factory=asked["factory"])
    shape, outputs = tuple(asked["input_shape"]), asked["outputs"]
    function = function_of(factory)
    module = sys.modules.get(getattr(function, "__module__", None) or "")
    found = {
        "about": " ".join((function.__doc__ or "").split())[:500],
        "code": file_hash(getattr(module, "__file__", None)),
        "parameters": 0,
    }
    if not outputs:
        return found
    network = call(factory, outputs, shape).float().eval()
    try:
        with torch.no_grad():
            given = network(torch.zeros(1, *shape))
    except Exception as error:  # a network of somebody else's can raise anything
        raise ModelError(
            f"{factory.factory} makes a network that cannot take samples of shape {shape} ({type(error).__name__}: {str(error)[:200]}).",
            "Choose other images, or correct it.",
        ) from error
    got = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
    if got != (1, outputs):
        raise ModelError(
            f"For one sample the network of {factory.factory} gives {got}, not (1, {outputs}).", "Let it give one row a sample."
        )
    return found | {"parameters": sum(parameter.numel() for parameter in network.parameters())}


def main() -> None:
    """Answer one question."""
    try:
        answer = look(json.load(sys.stdin))
    except AtlasError as error:
        answer = {"message": error.message, "remedy": error.remedy}
    print(f"\n{json.dumps(answer)}", flush=True)


if __name__ == "__main__":
    main()
