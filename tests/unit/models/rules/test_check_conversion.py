import numpy as np
import pytest
import torch

import check_conversion


def test_ids_are_compared_text_by_text():
    ids = [np.array([0, 7, 2]), np.array([0, 8, 9, 2])]
    assert check_conversion.differing_ids(ids, [np.array([7, 2]), np.array([8, 9, 2])]) == []
    assert check_conversion.differing_ids(ids, [np.array([7, 2]), np.array([8, 2])]) == [1]
    with pytest.raises(ValueError, match="shorter"):
        check_conversion.differing_ids(ids, [np.array([7, 2])])


class States(torch.nn.Module):
    """A model whose hidden states are the ids, as either engine would call it."""

    def __init__(self, added=0.0, pad=0):
        super().__init__()
        self.added = added
        self.config = self
        self.pad_token_id = pad

    def forward(self, tokens, attention_mask=None, features_only=False):
        self.last_hidden_state = tokens[..., None].float() + self.added
        return (self.last_hidden_state, None) if features_only else self


def test_the_largest_difference_leaves_padding_out():
    order = list(range(40))
    texts = [np.arange(2, 2 + length) for length in (3, 9, 1, 30)] * 5
    original, same = States(pad=0), States()
    assert check_conversion.largest_difference(original, same, texts, order) == 0
    assert check_conversion.largest_difference(original, States(0.5), texts, order) == 0.5
