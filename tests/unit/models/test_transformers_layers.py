"""transformers' models with faster layers against transformers' own."""

import copy

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    BertConfig,
    ElectraConfig,
    ModernBertConfig,
)

from seedwise.models.conversion import roberta_config
from seedwise.models.layers import Dropout
from seedwise.models.transformers_layers import FirstPositionAttention, accelerate, length_multiple
from support.tiny.chain import ARCHITECTURE

SIZES = {
    "vocab_size": 160,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 32,
    "max_position_embeddings": 24,
}
BERT = BertConfig(**SIZES)
ELECTRA = ElectraConfig(embedding_size=16, **SIZES)


@pytest.mark.parametrize(
    "config",
    [roberta_config(ARCHITECTURE, ["a", "b"]), BERT, ELECTRA],
    ids=["roberta", "bert", "electra"],
)
def test_logits_and_gradients_are_transformers(config, tmp_path):
    torch.manual_seed(0)
    stock = AutoModelForSequenceClassification.from_config(config).eval()
    fast = accelerate(copy.deepcopy(stock))
    assert fast.config._attn_implementation == "seedwise"
    assert any(isinstance(module, Dropout) for module in fast.modules())
    assert isinstance(fast.base_model.encoder.layer[-1].attention, FirstPositionAttention)
    ids = torch.randint(4, 150, (3, 9))
    mask = torch.ones_like(ids)
    mask[1, 5:] = 0
    logits = [model(input_ids=ids, attention_mask=mask).logits for model in (stock, fast)]
    torch.testing.assert_close(*logits)
    for output in logits:
        output.square().sum().backward()
    for (name, ours), theirs in zip(fast.named_parameters(), stock.parameters(), strict=True):
        if theirs.grad is not None:
            assert ours.grad is not None, name
            torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-4, atol=1e-5)
    fast.save_pretrained(tmp_path)
    loaded = AutoModelForSequenceClassification.from_pretrained(tmp_path).eval()
    assert loaded.config._attn_implementation == "sdpa"
    torch.testing.assert_close(loaded(input_ids=ids, attention_mask=mask).logits, logits[0])


def test_padding_never_exceeds_the_positions():
    assert length_multiple(256) == 4
    assert length_multiple(250) == 1


def test_a_window_of_nothing_but_padding_has_finite_gradients():
    """As in a short text that is padded beyond the window of ModernBERT's local attention."""
    torch.manual_seed(0)
    config = ModernBertConfig(
        vocab_size=60, hidden_size=24, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=32, max_position_embeddings=64, local_attention=4,
        global_attn_every_n_layers=2, pad_token_id=1, bos_token_id=0, eos_token_id=2,
        cls_token_id=0, sep_token_id=2,
    )  # fmt: skip
    model = accelerate(AutoModelForSequenceClassification.from_config(config)).train()
    assert model.config._attn_implementation == "seedwise"
    ids, mask = torch.full((2, 40), 5), torch.ones(2, 40, dtype=torch.long)
    ids[1, 3:], mask[1, 3:] = 1, 0
    model(input_ids=ids, attention_mask=mask).logits.sum().backward()
    assert all(weight.grad.isfinite().all() for weight in model.parameters())
