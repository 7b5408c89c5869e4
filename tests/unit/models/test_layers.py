"""Attention and dropout against torch's own."""

import pytest
import torch
from torch.nn.functional import scaled_dot_product_attention

from seedwise.models import layers

PARTS = 3


@pytest.fixture
def parts():
    torch.manual_seed(0)
    return [torch.randn(2, 4, 10, 8, requires_grad=True) for _ in range(PARTS)]


@pytest.fixture
def mask():
    kept = torch.ones(2, 1, 1, 10, dtype=torch.bool)
    kept[0, ..., 7:] = False
    return kept


def gradients(parts, result):
    weights = torch.linspace(-1, 1, result.numel()).view(result.shape)
    return torch.autograd.grad((result * weights).sum(), parts)


@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("scale", [None, 0.5])
def test_attention_and_its_gradients_are_torchs(parts, mask, masked, scale):
    mask = mask if masked else None
    ours = layers.attention(*parts, mask, scale=scale)
    theirs = scaled_dot_product_attention(*parts, attn_mask=mask, scale=scale)
    torch.testing.assert_close(ours, theirs)
    torch.testing.assert_close(gradients(parts, ours), gradients(parts, theirs))
    with torch.no_grad():
        torch.testing.assert_close(layers.attention(*parts, mask, scale=scale), theirs)


def test_attention_takes_views(parts):
    together = torch.stack(parts).permute(3, 1, 0, 2, 4).contiguous()  # (L, B, 3, heads, d)
    views = together.permute(2, 1, 3, 0, 4)
    torch.testing.assert_close(layers.attention(*views), layers.attention(*parts))


def test_attention_drops_weights_and_keeps_the_mean(parts):
    plain = layers.attention(*parts)
    drawn = torch.stack([layers.attention(*parts, probability=0.5) for _ in range(500)])
    assert (drawn[0] - plain).abs().max() > 0.1
    assert (drawn.mean(dim=0) - plain).abs().max() < 0.3


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("shape", [(7,), (3, 5, 11), (0,)])
def test_dropout_sets_zeros_and_scales_the_rest(dtype, shape):
    values = torch.ones(shape, dtype=dtype)
    result = layers.dropout(values, 0.5)
    assert result.shape == values.shape and result.dtype == dtype
    assert set(result.flatten().tolist()) <= {0.0, 2.0}


@pytest.mark.parametrize("probability", [0.1, 0.5, 0.9])
def test_dropout_has_its_probability_everywhere_alike(probability):
    torch.manual_seed(0)
    dropped = layers.dropout(torch.ones(400_000), probability) == 0
    # Four elements share a drawn number: each of the four places alone, and pairs of them.
    places = dropped.view(-1, 4).double()
    assert (places.mean(dim=0) - probability).abs().max() < 0.005
    assert (places.T.corrcoef() - torch.eye(4)).abs().max() < 0.02


def test_dropout_follows_torchs_seed_and_passes_gradients():
    values = torch.randn(1000, requires_grad=True)
    drawn = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        drawn.append(layers.dropout(values, 0.3))
    assert drawn[0].equal(drawn[1]) and not drawn[0].equal(drawn[2])
    (gradient,) = torch.autograd.grad(drawn[0].sum(), values)
    torch.testing.assert_close(gradient, (drawn[0] != 0) / 0.7)


def test_dropout_is_replaced_everywhere_and_only_trains():
    model = torch.nn.Sequential(torch.nn.Dropout(0.5), torch.nn.Sequential(torch.nn.Dropout(0.2)))
    layers.replace_dropout(model.eval())
    assert [type(m) for m in model.modules()].count(layers.Dropout) == 2
    values = torch.ones(100)
    assert model(values).equal(values)
    assert not model.train()(values).equal(values)
