"""Small data, networks and the identity of a training's record."""

import numpy as np

from ntkcore.models import build_model
from ntkcore.specs import ModelSpec


def blobs(n=37, shape=(1, 8, 8), outputs=3, seed=0):
    generator = np.random.default_rng(seed)
    labels = generator.integers(outputs, size=n)
    centres = generator.random((outputs, *shape))
    inputs = np.clip(centres[labels] + 0.2 * generator.standard_normal((n, *shape)), 0, 1).astype(np.float32)
    targets = np.eye(outputs, dtype=np.float32)[labels]
    inputs.setflags(write=False)  # as data sets hand them out
    return inputs, targets


def small(architecture="cnn3", shape=(1, 8, 8), outputs=3):
    return build_model(
        ModelSpec(architecture=architecture, width=None if "resnet" in architecture else 6), input_shape=shape, outputs=outputs
    )


def digest(records):
    return [(r.epoch, r.outputs.tobytes(), r.state.to_bytes()) for r in records]
