"""fairseq's model with faster layers against fairseq's model."""

import copy

import pytest
import torch

from seedwise.models.layers import Dropout
from seedwise_fairseq.build import build_model
from seedwise_fairseq.layers import accelerate
from support.tiny.chain import ARCHITECTURE

WITHOUT_DROPOUT = ARCHITECTURE | {"dropout": 0.0, "attention_dropout": 0.0}


@pytest.fixture
def pair():
    torch.manual_seed(0)
    stock = build_model(WITHOUT_DROPOUT)
    stock.register_classification_head("head", num_classes=2)
    return stock, accelerate(copy.deepcopy(stock))


@pytest.fixture
def tokens():
    tokens = torch.randint(4, 150, (3, 9), generator=torch.Generator().manual_seed(0))
    tokens[1, 5:] = 1  # padding
    return tokens


@pytest.mark.parametrize("head", [None, "head"])
def test_outputs_and_gradients_are_fairseqs(pair, tokens, head):
    outputs = [model(tokens, classification_head_name=head)[0] for model in pair]
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    gradients = [{n: p.grad for n, p in model.named_parameters()} for model in pair]
    assert gradients[0].keys() == gradients[1].keys()
    for name, expected in gradients[0].items():
        torch.testing.assert_close(gradients[1][name], expected, rtol=1e-4, atol=1e-4)


def test_the_last_layer_computes_the_first_position_alone_for_a_classifier(pair, tokens):
    stock = pair[0]
    fast = accelerate(copy.deepcopy(stock), first_position=True)
    features = fast(tokens, features_only=True)[0]
    assert features.shape == (3, 1, ARCHITECTURE["embed_dim"])
    torch.testing.assert_close(features, stock(tokens, features_only=True)[0][:, :1])
    outputs = [model(tokens, classification_head_name="head")[0] for model in (stock, fast)]
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    for (name, ours), theirs in zip(fast.named_parameters(), stock.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-4, msg=name)
    assert list(stock.state_dict()) == list(fast.state_dict())
    with torch.no_grad():
        evaluated = fast.eval()(tokens, classification_head_name="head")[0]
    torch.testing.assert_close(evaluated, outputs[0])


def test_masked_tokens_alone_are_projected(pair, tokens):
    masked = tokens > 75
    outputs = [model(tokens, masked_tokens=masked)[0] for model in pair]
    assert len(outputs[0]) == masked.sum()
    torch.testing.assert_close(*outputs)


def test_weights_have_fairseqs_names(pair):
    stock, fast = pair
    assert list(stock.state_dict()) == list(fast.state_dict())
    fast.load_state_dict(stock.state_dict())


def test_evaluation_gives_what_training_without_dropout_gives(pair, tokens):
    fast = pair[1]
    with torch.no_grad():
        torch.testing.assert_close(fast.eval()(tokens)[0], fast.train()(tokens)[0])


def test_dropout_of_every_kind_is_replaced():
    model = accelerate(build_model(ARCHITECTURE))
    kinds = {type(module).__name__ for module in model.modules()}
    assert "FairseqDropout" not in kinds and "Dropout" in kinds
    layer = model.encoder.sentence_encoder.layers[0]
    assert layer.self_attn.dropout_module.p == ARCHITECTURE["attention_dropout"]
    assert isinstance(layer.dropout_module, Dropout)
