from pathlib import Path

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel, AutoModelForSequenceClassification

from seedwise.errors import UserError
from seedwise.models import bert_family
from seedwise.models.weight_names import transformers_name
from seedwise.study.encoders import FAIRSEQ_TYPES
from seedwise_fairseq.build import build_model
from seedwise_fairseq.predict import HEAD
from support.tiny.encoders import ENCODERS, SIZES

ORDER = [5, 1, 6, 3, *(n for n in range(SIZES["vocab_size"]) if n not in (5, 1, 6, 3, 9)), 9]


def config_of(kind, **changes):
    own = ENCODERS[kind][0] | ({"embedding_size": 24} if kind == "electra" else {})
    return CONFIG_MAPPING[kind](**SIZES | own | {"num_labels": 3} | changes)


def to_fairseq(config, weights):
    fairseq = build_model(bert_family.fairseq_architecture(config))
    return fairseq, bert_family.to_fairseq(weights, fairseq.state_dict(), ORDER, config)


def test_the_types_are_those_that_a_study_may_name():
    assert tuple(bert_family.HEADS) == FAIRSEQ_TYPES


@pytest.mark.parametrize("kind", FAIRSEQ_TYPES)
def test_weights_there_and_back_are_the_same_bits(kind):
    config = config_of(kind)
    torch.manual_seed(0)
    original = AutoModelForSequenceClassification.from_config(config)
    encoder = original.base_model
    fairseq, found = to_fairseq(config, encoder.state_dict())
    pooler = {name: found.pop(name) for name in list(found) if name.startswith("pooler.")}
    assert bool(pooler) == (kind == "bert")
    fairseq.load_state_dict(found, strict=False)
    fairseq.register_classification_head(HEAD, num_classes=3)
    prefix = original.base_model_prefix
    back = bert_family.to_transformers(fairseq.state_dict(), prefix, ORDER, config)
    expected = original.state_dict()
    assert {n: w.shape for n, w in back.items()} == {n: w.shape for n, w in expected.items()}
    for name, weight in expected.items():
        if "classifier" in name or ".pooler." in name:
            continue  # of the new head
        if name.endswith((bert_family.POSITIONS, bert_family.TYPES)):
            continue
        assert torch.equal(back[name], weight), name
    positions, types = f"{prefix}.{bert_family.POSITIONS}", f"{prefix}.{bert_family.TYPES}"
    first = bert_family.first_position(config)
    summed = expected[positions] + expected[types][0]
    assert torch.equal(back[positions][first:] + back[types][0], summed[first:])


@pytest.mark.parametrize("kind", FAIRSEQ_TYPES)
def test_nothing_but_head_and_copies_is_left_out(kind):
    config = config_of(kind)
    weights = AutoModel.from_config(config).state_dict()
    fairseq, found = to_fairseq(config, weights)
    left = {transformers_name(name) for name in fairseq.state_dict().keys() - found.keys()}
    assert {name.split(".")[0] for name in left if name} == {"lm_head"}


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("electra", {"embedding_size": 12}, "embedding_size is 12; fairseq .* with 24"),
        ("bert", {"hidden_act": "relu"}, "hidden_act is 'relu'; fairseq .* with 'gelu'"),
        (
            "bert",
            {"position_embedding_type": "relative_key"},
            "position_embedding_type is 'relative_key'; fairseq .* with 'absolute'",
        ),
    ],
)
def test_what_fairseq_cannot_hold_is_refused_by_key_and_file(kind, changes, message):
    config = config_of(kind, **changes)
    with pytest.raises(UserError, match=rf"^experiments\.a\.engine: .* x/config\.json {message}"):
        bert_family.check_fits(config, Path("x/config.json"), ["a", "b"])


@pytest.mark.parametrize("kind", FAIRSEQ_TYPES)
def test_the_architecture_holds_what_fairseq_needs(kind):
    config = config_of(kind, hidden_dropout_prob=0.2, layer_norm_eps=1e-7)
    bert_family.check_fits(config, Path("config.json"), ["a"])
    sizes = bert_family.fairseq_architecture(config)
    assert (sizes["layers"], sizes["ffn_dim"], sizes["max_positions"]) == (3, 40, 24)
    assert (sizes["dropout"], sizes["pooler_dropout"], sizes["layer_norm_eps"]) == (0.2, 0.2, 1e-7)
    assert sizes["head_activation"] == ("gelu" if kind == "electra" else "tanh")
    config.classifier_dropout = 0.0
    assert bert_family.fairseq_architecture(config)["pooler_dropout"] == 0.0
