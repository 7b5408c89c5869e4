"""Every type of encoder that may be published: taken over, started and fine-tuned by one update."""

import pytest
import torch
from safetensors.torch import load_file
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    DistilBertConfig,
)

import finetune_transformers
import import_transformers
from seedwise.files import read_json
from seedwise.models.encoders import dropout_rates, set_dropout
from seedwise.models.published import Published
from seedwise.models.transformers_layers import accelerate
from seedwise.study.encoders import ENCODERS
from support.tiny.encoders import write_encoder


@pytest.mark.parametrize("kind", ENCODERS)
def test_a_type_is_taken_over_and_fine_tuned(kind, tmp_path):
    source = write_encoder(tmp_path / "published", kind)
    folder = tmp_path / "transformers"
    import_transformers.main(
        published=Published(source, "m", {"source": {"path": str(source)}}, {}),
        fairseq_experiments=[],
        folder=folder,
        architecture=tmp_path / "architecture.json",
        counts=tmp_path / "counts.json",
    )
    sizes = read_json(tmp_path / "architecture.json")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    texts = ["a film " * 100, "a film", "no"]
    batch = tokenizer(texts, truncation=True, padding=True, return_tensors="pt")
    assert batch["input_ids"].shape[1] == sizes["max_positions"] == sizes["max_tokens"]
    torch.manual_seed(0)
    settings = {"init": "pretrained"}
    model = accelerate(finetune_transformers.initial_model(["no", "yes"], settings, folder))
    theirs = AutoModelForSequenceClassification.from_pretrained(source).state_dict()
    trained = f"{model.base_model_prefix}."
    for name, weight in model.state_dict().items():
        new = "pooler" in name or not name.startswith((trained, "head."))
        assert new or torch.equal(weight, theirs[name]), name
    inputs = {name: batch[name] for name in ("input_ids", "attention_mask")}
    logits = model.train()(**inputs).logits
    assert logits.shape == (3, 2)
    torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 0])).backward()
    gradients = [weight.grad for weight in model.parameters() if weight.grad is not None]
    assert len(gradients) > 10 and all(gradient.isfinite().all() for gradient in gradients)
    assert sum(read_json(tmp_path / "counts.json").values()) > 0


def test_a_pooler_that_was_not_published_is_drawn_by_each_run(tmp_path):
    source = write_encoder(tmp_path / "published", "bert")  # a masked-language model has none
    folder = tmp_path / "transformers"
    published = Published(source, "m", {"source": {"path": str(source)}}, {})
    outputs = {"architecture": tmp_path / "a.json", "counts": tmp_path / "c.json"}
    import_transformers.main(published=published, fairseq_experiments=[], folder=folder, **outputs)
    assert not [name for name in load_file(folder / "model.safetensors") if "pooler" in name]
    poolers = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        model = finetune_transformers.initial_model(["no", "yes"], {"init": "pretrained"}, folder)
        poolers.append(model.bert.pooler.dense.weight)
    assert not torch.equal(*poolers)


def test_dropout_goes_by_the_names_of_each_type():
    bert, distilbert = BertConfig(), DistilBertConfig()
    rates = {"dropout": 0.2, "attention_dropout": 0.3, "pooler_dropout": 0.4}
    assert dropout_rates(bert) == dict.fromkeys(rates, 0.1)  # its head has the encoder's
    for config in (bert, distilbert):
        set_dropout(config, rates)
        assert dropout_rates(config) == rates
    assert (bert.hidden_dropout_prob, distilbert.seq_classif_dropout) == (0.2, 0.4)
