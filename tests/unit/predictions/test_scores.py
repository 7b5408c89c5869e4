import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    DistilBertConfig,
    ElectraConfig,
    GPT2Config,
    RobertaConfig,
)

from seedwise.errors import UserError
from seedwise.models.conversion import named_outputs
from seedwise.predictions.scores import give_units, last_layer
from seedwise.study.labels import Units

SIZES = {"hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 8, "num_hidden_layers": 1}


@pytest.mark.parametrize("kind", [BertConfig, RobertaConfig, ElectraConfig])
def test_a_model_gives_scores_in_the_datas_units(kind):
    config = kind(vocab_size=20, **SIZES, **named_outputs(["score"]))
    model = AutoModelForSequenceClassification.from_config(config).eval()
    assert model.config.problem_type == "regression" and model.config.num_labels == 1
    ids = torch.tensor([[3, 4, 5], [5, 6, 7]])
    with torch.no_grad():
        before = model(ids).logits
        give_units(model, Units(mean=2.5, width=5.0))
        torch.testing.assert_close(model(ids).logits, before * 5 + 2.5)


def test_the_last_of_a_distilbert():
    config = DistilBertConfig(
        vocab_size=20, dim=8, n_heads=2, hidden_dim=8, n_layers=1, **named_outputs(["score"])
    )
    model = AutoModelForSequenceClassification.from_config(config)
    assert last_layer(model) is model.classifier


def test_a_last_layer_without_bias_is_refused():
    config = GPT2Config(
        vocab_size=20, n_embd=8, n_head=2, n_layer=1, n_positions=8, **named_outputs(["score"])
    )
    model = AutoModelForSequenceClassification.from_config(config)
    with pytest.raises(UserError, match="a model of type 'gpt2' has no last layer with a bias"):
        last_layer(model)
