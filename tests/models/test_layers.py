"""Parameter-free layers against their definitions, written out."""

import numpy as np
import pytest
import torch

from ntkcore.models.layers import GrayToColour, PadShortcut, normaliser


def test_normalises_each_channel_of_an_image_and_each_feature_of_a_vector():
    images, mean, std = torch.rand(4, 3, 5, 6), [0.1, 0.2, 0.3], [0.5, 1.0, 2.0]
    result = normaliser((3, 5, 6), mean, std)(images)
    for channel in range(3):
        torch.testing.assert_close(result[:, channel], (images[:, channel] - mean[channel]) / std[channel])
    vectors = torch.rand(4, 2)
    torch.testing.assert_close(
        normaliser((2,), [1.0, 2.0], [3.0, 4.0])(vectors), (vectors - torch.tensor([1.0, 2.0])) / torch.tensor([3.0, 4.0])
    )


def test_without_statistics_it_changes_nothing_and_has_no_parameters():
    layer = normaliser((1, 2, 2), None, None)
    x = torch.rand(3, 1, 2, 2)
    assert torch.equal(layer(x), x)
    assert not list(layer.parameters())


def test_read_only_statistics_are_copied():
    mean = np.array([0.25], dtype=np.float32)
    mean.setflags(write=False)
    assert normaliser((1, 2, 2), mean, None).mean.item() == 0.25


@pytest.mark.parametrize(
    ("mean", "std"),
    [([0.0, 0.0], None), (None, [1.0, 1.0]), ([np.nan], None), (None, [0.0]), (None, [-1.0]), (None, [np.inf]), (0.0, None)],
)
def test_refuses_statistics_that_do_not_fit(mean, std):
    with pytest.raises(ValueError, match=r"^(mean|std): "):
        normaliser((1, 4, 4), mean, std)


def test_gray_is_repeated():
    x = torch.rand(2, 1, 3, 4)
    assert torch.equal(GrayToColour()(x), torch.cat([x, x, x], dim=1))


@pytest.mark.parametrize("side", [7, 8])
def test_shortcut_takes_every_second_pixel_between_zero_channels(side):
    x = torch.rand(2, 16, side, side)
    result = PadShortcut(16)(x)
    assert result.shape == (2, 32, (side + 1) // 2, (side + 1) // 2)
    assert torch.equal(result[:, 8:24], x[:, :, ::2, ::2])
    assert not result[:, :8].any()
    assert not result[:, 24:].any()
