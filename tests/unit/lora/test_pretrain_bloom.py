import json

import pandas as pd
import pytest
import torch

from pretrain_bloom import build_bloom, main, pack_blocks, train_tokenizer
from seedwise.errors import UserError
from seedwise.files import write_jsonl
from seedwise.lora import adapters as lora
from support.tiny.bloom import ARCHITECTURE, CORPUS

PRETRAIN = {
    "seed": 0,
    "updates": 6,
    "batch_size": 4,
    "block_tokens": 16,
    "learning_rate": 5e-3,
    "warmup_ratio": 0.05,
    "weight_decay": 0.01,
    "checkpoint_minutes": 0,
    "checkpoint_updates": 3,
    "device": "cpu",
    "precision": "float32",
    "threads": 1,
}


def test_tokenizer_keeps_any_text():
    tokenizer = train_tokenizer(CORPUS, 320)
    assert tokenizer.convert_ids_to_tokens([0, 1, 2, 3]) == ["<unk>", "<s>", "</s>", "<pad>"]
    text = "the cat\n\n  déjà vu \u2028 😀"
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer) <= 320


def test_tokenizer_training_repeats():
    first, second = (train_tokenizer(CORPUS, 300).backend_tokenizer.to_str() for _ in range(2))
    assert first == second


def test_blocks_hold_every_token_once_and_an_end_after_each_text():
    tokenizer = train_tokenizer(CORPUS, 320)
    texts = ["the cat", "a dog"] * 5
    blocks = pack_blocks(tokenizer, texts, 4)
    stream = [token for block in blocks for token in block["input_ids"]]
    assert {len(block["input_ids"]) for block in blocks} == {4}
    assert ("".join(f"{text}</s>" for text in texts)).startswith(tokenizer.decode(stream))
    with pytest.raises(UserError, match=r"block_tokens: the corpus has .* fewer than one block"):
        pack_blocks(tokenizer, texts, 1000)


def test_sizes_are_those_asked_for():
    model = build_bloom(ARCHITECTURE, seed=0)
    width = ARCHITECTURE["hidden_size"]
    assert model.get_input_embeddings().weight.shape == (320, width)
    assert len(model.transformer.h) == 2
    assert torch.equal(
        model.transformer.ln_f.weight, build_bloom(ARCHITECTURE, seed=1).transformer.ln_f.weight
    )
    assert not torch.equal(
        model.get_input_embeddings().weight,
        build_bloom(ARCHITECTURE, seed=1).get_input_embeddings().weight,
    )


def pretrain(folder, corpus):
    main(
        corpus=[corpus],
        settings={"architecture": ARCHITECTURE, "pretrain": PRETRAIN},
        folder=folder / "transformers",
        history=folder / "history.csv",
        metrics=folder / "metrics.json",
    )
    return folder


def test_pretraining_lowers_the_loss_and_repeats_bit_for_bit(tmp_path):
    corpus = tmp_path / "corpus.jsonl"
    write_jsonl(corpus, ({"id": str(i), "text": text} for i, text in enumerate(CORPUS)))
    first, second = (pretrain(tmp_path / name, corpus) for name in "ab")
    history = pd.read_csv(first / "history.csv")
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert json.loads((first / "metrics.json").read_text())["updates"] == 6
    weights = [(run / "transformers" / "model.safetensors").read_bytes() for run in (first, second)]
    assert weights[0] == weights[1]
    assert not (first / "checkpoints").exists()
    assert lora.empty_model(first / "transformers").config.model_type == "bloom"
    assert lora.load_tokenizer(first / "transformers").eos_token_id == 2
