import argparse

import pytest
import torch

from seedwise_fairseq import build, launch
from support.tiny.chain import ARCHITECTURE

PUBLISHED = ARCHITECTURE | {"layer_norm_eps": 1e-3, "head_activation": "gelu"}


def test_every_layer_norm_has_the_eps():
    model = build.build_model(PUBLISHED)
    norms = [m for m in model.modules() if isinstance(m, torch.nn.LayerNorm)]
    assert len(norms) == 2 * ARCHITECTURE["layers"] + 2
    assert {norm.eps for norm in norms} == {1e-3}


def test_models_of_ones_own_stay_fairseqs():
    assert launch.architecture_options(ARCHITECTURE)["arch"] == "roberta"
    norms = [
        m for m in build.build_model(ARCHITECTURE).modules() if isinstance(m, torch.nn.LayerNorm)
    ]
    assert {norm.eps for norm in norms} == {1e-5}


@pytest.mark.parametrize("pooler", [True, False])
def test_a_heads_dense_layer_starts_from_a_pooler_and_from_nothing_else(pooler):
    model = build.build_model(PUBLISHED)
    weights = {name: weight.clone() for name, weight in model.state_dict().items()}
    torch.manual_seed(0)
    model.register_classification_head("head", num_classes=3)
    fresh = {name: w.clone() for name, w in model.classification_heads.state_dict().items()}
    dense = torch.randn(32, 32), torch.randn(32)
    if pooler:
        weights["pooler.dense.weight"], weights["pooler.dense.bias"] = dense
    model.load_state_dict(weights, strict=True)
    found = model.classification_heads.state_dict()
    expected = dict(fresh)
    if pooler:
        expected["head.dense.weight"], expected["head.dense.bias"] = dense
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in found)


def test_a_model_without_head_leaves_the_pooler():
    model = build.build_model(PUBLISHED)
    weights = model.state_dict() | {"pooler.dense.weight": torch.zeros(32, 32)}
    model.load_state_dict(weights, strict=True)


def test_options_are_read_from_a_command_line():
    parser = argparse.ArgumentParser()
    from seedwise_fairseq.model import SeedwiseRobertaModel

    SeedwiseRobertaModel.add_args(parser)
    options = {k: v for k, v in launch.architecture_options(PUBLISHED).items() if k != "arch"}
    parsed = parser.parse_args(launch.arguments(options))
    assert (parsed.layer_norm_eps, parsed.pooler_activation_fn) == (1e-3, "gelu")
