import numpy as np
import pytest
import torch

import predict_reference
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import BOS_ID, EOS_ID, PAD_ID
from seedwise_fairseq.predict import load_model
from support.tiny.chain import ARCHITECTURE, write_chain

MASK_ID = ARCHITECTURE["vocab_size"] - 1


def test_masks_are_spread_and_leave_the_ends_alone():
    texts = [np.array([*range(10, 30), EOS_ID]), np.array([8, EOS_ID])]
    tokens, positions = predict_reference.masked_batch(texts, mask_id=99)
    assert tokens.shape == (2, 22)
    assert tokens[1].tolist() == [BOS_ID, 99, EOS_ID] + [PAD_ID] * 19
    assert positions.tolist() == [[0, 1], [0, 8], [0, 15], [1, 1]]
    assert (tokens[tuple(positions.T)] == 99).all() and (tokens == 99).sum() == 4
    assert tokens[0, 0] == BOS_ID and tokens[0, -1] == EOS_ID and tokens[0, 2] == 11


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


@torch.inference_mode()
def test_logits_are_fairseqs_at_the_masks(chain, tmp_path):
    binarized = chain.binarized / "input0"
    predict_reference.main(
        model=chain.pretrained, binarized=binarized, reference=tmp_path / "reference.npz"
    )
    reference = np.load(tmp_path / "reference.npz")
    tokens, positions, logits = (reference[key] for key in ("tokens", "positions", "logits"))
    assert len(tokens) == len(read_texts(binarized / "valid")) == 20
    assert logits.shape == (len(positions), ARCHITECTURE["vocab_size"])
    assert (tokens[tuple(positions.T)] == MASK_ID).all()
    model, _ = load_model(chain.pretrained, binarized, "cpu")
    everywhere, _ = model(torch.from_numpy(tokens))
    expected = everywhere[tuple(positions.T)]
    np.testing.assert_allclose(logits, expected.numpy(), atol=1e-5)
    assert logits.std() > 0.1
