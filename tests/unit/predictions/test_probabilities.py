import numpy as np
import pytest
import torch

from seedwise.predictions.probabilities import class_probabilities


def test_each_text_has_its_row_whatever_the_order_of_the_batches():
    logits = torch.randn(7, 3, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(0))
    lengths = [3, 7, 1, 7, 2, 9, 3]
    found = class_probabilities(lengths, 2, "cpu", lambda indices: logits[indices])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, logits.float().softmax(dim=-1).numpy())


@pytest.mark.parametrize(("device", "sizes"), [("cpu", [2, 4]), ("cuda", [4, 2])])
def test_a_processors_batches_fit_its_caches(device, sizes):
    read = []

    def logits(indices):
        read.append(len(indices))
        return torch.zeros(len(indices), 2)

    class_probabilities([1024, 2, 1024, 2, 2, 2], 4, device, logits)
    assert read == sizes


def test_no_gradients_are_kept():
    weights = torch.ones(2, requires_grad=True)
    modes = []

    def logits(indices):
        modes.append(torch.is_inference_mode_enabled())
        return weights.expand(len(indices), 2)

    class_probabilities([1, 1, 1], 8, "cpu", logits)
    assert modes == [True]
