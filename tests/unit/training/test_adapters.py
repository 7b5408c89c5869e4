"""Adapters of classifiers: where they go, what they train, and that merging changes nothing."""

import copy

import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from seedwise.errors import UserError
from seedwise.models.transformers_layers import accelerate
from seedwise.training.adapters import (
    classifier_with_adapter,
    head_modules,
    trainable_parameters,
    with_targets,
)

SIZES = {
    "vocab_size": 60,
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 40,
    "num_labels": 3,
    "initializer_range": 0.3,
}
DISTILBERT = {"dim": 16, "hidden_dim": 32, "n_layers": 2, "n_heads": 2}
TYPES = {
    "bert": ["query", "value"],
    "distilbert": ["q_lin", "v_lin"],
    "electra": ["query", "value"],
    "albert": ["query", "value"],
    "mpnet": ["q", "v"],
    "deberta-v2": ["query_proj", "value_proj"],
    "modernbert": ["Wqkv"],
    "roberta": ["query", "value"],
    "camembert": ["query", "value"],
    "xlm-roberta": ["query", "value"],
}
ADAPTER = {"r": 4, "lora_alpha": 8, "target_modules": None, "lora_dropout": 0.0, "bias": "none"}


def classifier(kind):
    torch.manual_seed(0)
    sizes = SIZES | {"pad_token_id": 1} | (DISTILBERT if kind == "distilbert" else {})
    if kind == "albert":
        sizes["embedding_size"] = 16
    config = AutoConfig.for_model(kind, **sizes)
    return accelerate(AutoModelForSequenceClassification.from_config(config)).eval()


@pytest.mark.parametrize("kind", TYPES)
def test_any_encoder_gets_one_and_keeps_its_answers_when_merged(kind):
    model = classifier(kind)
    plain = copy.deepcopy(model)
    assert with_targets(ADAPTER, model)["target_modules"] == TYPES[kind]
    adapted = classifier_with_adapter(model, ADAPTER).eval()
    ids = torch.arange(2, 22).reshape(2, 10)
    with torch.no_grad():
        assert (adapted(input_ids=ids).logits - plain(input_ids=ids).logits).abs().max() < 1e-6
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:
                parameter.normal_()
        expected = adapted(input_ids=ids).logits
        assert (expected - plain(input_ids=ids).logits).abs().max() > 1e-3
        merged = adapted.merge_and_unload()
        assert (merged(input_ids=ids).logits - expected).abs().max() < 1e-5
    assert type(merged) is type(plain)
    assert merged.state_dict().keys() == plain.state_dict().keys()


@pytest.mark.parametrize("bias", ["none", "lora_only", "all"])
def test_what_is_trained_follows_the_formula(bias):
    adapted = classifier_with_adapter(classifier("roberta"), ADAPTER | {"bias": bias})
    head = 16 * 16 + 16 + 16 * 3 + 3
    layers = 2 * 2 * 4 * (16 + 16)  # layers, query and value, r * (in + out)
    encoder = {"none": 0, "lora_only": 2 * 2 * 16}
    # Of a layer: four projections, the way out of the feed-forward and two norms of 16, one of 32.
    encoder["all"] = 2 * (7 * 16 + 32) + 16  # and the norm of the embeddings
    assert trainable_parameters(adapted) == head + layers + encoder[bias]


def test_a_target_like_a_layer_of_the_head_spares_the_head():
    model = classifier("roberta")
    assert head_modules(model) == ["classifier"]
    adapted = classifier_with_adapter(model, ADAPTER | {"target_modules": ["dense"]})
    named = [name for name, _ in adapted.named_parameters() if "lora_A" in name]
    assert len(named) == 6 and not any("classifier" in name for name in named)


def test_unknown_targets_say_what_exists():
    with pytest.raises(UserError, match=r"'q_proj' matches no linear layer.*query"):
        classifier_with_adapter(classifier("bert"), ADAPTER | {"target_modules": ["q_proj"]})
    model = classifier("bert")
    model.config.model_type = "newest"
    for layer in model.base_model.encoder.layer:
        del layer.attention.self
    with pytest.raises(UserError, match="none are known for a model of type 'newest'; name some"):
        with_targets(ADAPTER, model)
    given = {"target_modules": ["dense"], "r": 4}
    assert with_targets(given, model) == given
