"""The infinite-width kernel's limits: memory, networks it does not know, options, and the library itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from infinite_samples import images, vectors

from ntkcore.architecture import Chain, Conv, Dense, Flatten, GlobalAveragePool, Relu, cnn3, cnn4, convnet, fcn
from ntkcore.errors import ComputationError, DataError, ModelError
from ntkcore.kernels import infinite
from ntkcore.kernels.infinite import infinite_ntk, stax_layers, tile_bytes
from ntkcore.kernels.jax_backend import libraries

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("chain", "shape", "b"),
    [
        (convnet(10, 32, pooling=False), (3, 8, 8), 32),
        pytest.param(convnet(10, 32), (3, 8, 8), 8, marks=pytest.mark.soak),
        pytest.param(cnn3(10, 8), (3, 16, 16), 16, marks=pytest.mark.soak),
        (fcn(10, 64, 3), (50,), 200),
    ],
)
def test_xla_takes_no_more_memory_than_the_formula_says(chain, shape, b):
    lib = libraries()
    kernel_fn = lib.nt.stax.serial(*stax_layers(chain, shape))[2]
    with lib.double():
        tile = lib.jax.ShapeDtypeStruct((b, *shape[1:], shape[0]) if len(shape) == 3 else (b, *shape), np.float64)
        compiled = lib.jax.jit(lambda rows, columns: kernel_fn(rows, columns, "ntk")).lower(tile, tile).compile()
    assert compiled.memory_analysis().temp_size_in_bytes <= tile_bytes(chain, shape, b, b)


def test_the_formula():
    assert tile_bytes(convnet(2, 4), (3, 8, 6), 5, 7) == 64 * (35 + 12) * 48**2
    assert tile_bytes(convnet(2, 4, pooling=False), (3, 8, 6), 5, 7) == 64 * (35 + 12) * 48
    assert tile_bytes(fcn(2, 4, 2), (3, 8, 6), 5, 7) == 64 * (35 + 12)


def test_the_tile_is_as_large_as_the_memory_allows():
    chain, shape = convnet(2, 4), (3, 32, 32)
    side, _ = infinite._tile(chain, shape, 10_000, 10_000, None)
    assert tile_bytes(chain, shape, side, side) <= infinite.TILE_BYTES < tile_bytes(chain, shape, side + 1, side + 1)
    assert infinite._tile(chain, shape, 2, 1, None) == (2, 1)


def test_what_cannot_fit_is_refused_before_it_starts_with_what_would():
    with pytest.raises(ModelError, match=r"one pair of images of 224 × 224 pixels takes 450 GiB, more than 4 GiB.*at most 68 × 68 pixels"):
        infinite_ntk(convnet(2, 4), np.zeros((2, 3, 224, 224)))
    with pytest.raises(DataError, match=r"tile of 50 × 50 samples takes more than 4 GiB.*at most 7,"):
        infinite_ntk(convnet(2, 4), np.zeros((60, 3, 32, 32)), batch_size=50)
    assert tile_bytes(convnet(2, 4), (3, 32, 32), 7, 7) <= infinite.MEMORY_BYTES < tile_bytes(convnet(2, 4), (3, 32, 32), 8, 8)
    assert tile_bytes(convnet(2, 4), (3, 68, 68), 1, 1) <= infinite.MEMORY_BYTES < tile_bytes(convnet(2, 4), (3, 69, 69), 1, 1)


@pytest.mark.parametrize(
    ("chain", "x", "error", "words"),
    [
        (convnet(2, 4), vectors(), ModelError, "needs images; it is given vectors of 12 numbers"),
        (fcn(2, 4, 1), vectors()[0], DataError, "no samples"),
        (fcn(2, 4, 1), np.zeros((2, 3, 4)), DataError, r"shape \(2, 3, 4\).*Give images"),
        (fcn(2, 4, 1), np.array([[1.0, np.nan]]), DataError, "NaN"),
        (cnn4(2, 4), images(2, (1, 28, 28)), ModelError, "Layer 1, a 4 × 4 convolution with padding 1, has no known.*cnn3"),
        (Chain((Relu(), Dense(2))), vectors(), ModelError, "Layer 1 is a ReLU of values that are not Gaussian"),
        (Chain((Conv(2, 3), Relu(), GlobalAveragePool(), Relu(), Dense(2))), images(), ModelError, "Layer 4 is a ReLU"),
        (Chain((Conv(2, 3),)), images(), ModelError, "ends in images"),
        (Chain((Flatten(),)), images(), ModelError, "no layer with weights"),
    ],
)
def test_what_has_no_kernel_is_refused(chain, x, error, words):
    with pytest.raises(error, match=words):
        infinite_ntk(chain, x)


def test_wrong_options_are_refused():
    chain, x = fcn(2, 4, 1), vectors()
    with pytest.raises(DataError, match="kind of kernel is 'gp'"):
        infinite_ntk(chain, x, kind="gp")
    with pytest.raises(DataError, match="batch size is 0"):
        infinite_ntk(chain, x, batch_size=0)
    with pytest.raises(DataError, match=r"x holds samples of shape \(12,\) and z of shape \(11,\)"):
        infinite_ntk(chain, x, x[:, :11])
    with pytest.raises(ValueError, match="initialisation"):
        infinite_ntk(chain, x, initialisation="xavier")
    with pytest.raises(ComputationError, match="NaN or infinite"):
        infinite_ntk(chain, 1e200 * x)


def test_without_the_library_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "neural_tangents", None)
    with pytest.raises(ModelError, match=r"need JAX and neural-tangents.*pip install"):
        libraries()


def test_loading_writes_nothing_and_leaves_tensorflow_alone():
    script = (
        "import sys, numpy as np\n"
        "from ntkcore.architecture import fcn\n"
        "import ntkcore.kernels\n"
        "assert not {'jax', 'neural_tangents'} & sys.modules.keys()\n"
        "from ntkcore.kernels.infinite import infinite_ntk\n"
        "assert not {'jax', 'neural_tangents'} & sys.modules.keys()\n"
        "infinite_ntk(fcn(2, 4, 1), np.eye(3))\n"
        "assert 'neural_tangents' in sys.modules and 'tensorflow' not in sys.modules\n"
        "assert 'neural_tangents.experimental' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
