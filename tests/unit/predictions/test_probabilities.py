import numpy as np
import torch

from seedwise.predictions.probabilities import class_probabilities


def test_each_text_has_its_row_whatever_the_order_of_the_batches():
    logits = torch.randn(7, 3, dtype=torch.bfloat16, generator=torch.Generator().manual_seed(0))
    batches = [np.array([4, 1]), np.array([6]), np.array([0, 5, 2, 3])]
    found = class_probabilities(iter(batches), lambda indices: logits[indices])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, logits.float().softmax(dim=-1).numpy())


def test_no_gradients_are_kept():
    weights = torch.ones(2, requires_grad=True)
    modes = []

    def logits(indices):
        modes.append(torch.is_inference_mode_enabled())
        return weights.expand(len(indices), 2)

    class_probabilities([np.arange(3)], logits)
    assert modes == [True]
