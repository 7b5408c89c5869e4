import numpy as np
import pytest
import torch

from seedwise.models.checkpoints import load_checkpoint
from seedwise.tokens.indexed import read_texts
from seedwise.tokens.vocabulary import BOS_ID
from seedwise_fairseq import predict
from support.tiny.chain import ARCHITECTURE, HOSTILE, sentence_task, write_chain

CLASSES = 3


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def model(chain):
    network, _ = predict.load_model(chain.pretrained, chain.binarized / "input0", "cpu")
    network.register_classification_head(predict.HEAD, num_classes=CLASSES)
    return network.eval()


def probabilities(model, chain, batch_size):
    task = sentence_task(chain, num_classes=CLASSES)
    return predict.class_probabilities(model, task, "test", batch_size, "cpu")


def test_each_text_has_its_row_whatever_the_batches(model, chain):
    found = probabilities(model, chain, batch_size=64)
    assert found.shape == (28 + len(HOSTILE), CLASSES)
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-6)
    assert found.std(axis=0).min() > 1e-3
    for size in (1, 5):
        np.testing.assert_allclose(probabilities(model, chain, size), found, atol=1e-6)


@torch.inference_mode()
def test_rows_are_in_the_data_sets_order(model, chain):
    texts = read_texts(chain.binarized / "input0" / "test")
    found = probabilities(model, chain, batch_size=7)
    for row in (0, 11, len(texts) - 1):
        tokens = torch.tensor([[BOS_ID, *texts[row].tolist()]])
        logits, _ = model(tokens, features_only=True, classification_head_name=predict.HEAD)
        np.testing.assert_allclose(found[row], logits.softmax(-1)[0].numpy(), atol=1e-6)


def test_a_written_model_comes_back_ready_to_predict(chain):
    loaded, task = predict.load_model(chain.pretrained, chain.binarized / "input0", "cpu")
    assert not loaded.training
    weights = load_checkpoint(chain.pretrained)["model"]
    state = loaded.state_dict()
    assert all(torch.equal(state[name], weights[name]) for name in weights)
    assert len(task.source_dictionary) == ARCHITECTURE["vocab_size"]
