import numpy as np
import pytest
import torch
from transformers import DataCollatorWithPadding, RobertaForSequenceClassification

from seedwise.data.texts import text_of
from seedwise.files import read_jsonl
from seedwise.models import classification, conversion
from seedwise.tokens.pieces import encoder_of
from support.tiny.chain import ARCHITECTURE, LABELS, write_chain


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def tokenizer(chain):
    return conversion.build_tokenizer(
        chain.tokens / "sentencepiece.bpe.model",
        chain.tokens / "dict.txt",
        ARCHITECTURE["max_positions"],
    )


@pytest.fixture(scope="module")
def examples(chain, tokenizer):
    return classification.encode(list(read_jsonl(chain.data / "test.jsonl")), tokenizer)


def test_examples_are_cut_in_order(chain, tokenizer, examples):
    records = list(read_jsonl(chain.data / "test.jsonl"))
    assert len(examples) == len(records)
    assert max(len(example["input_ids"]) for example in examples) == 24
    assert examples[3]["input_ids"] == tokenizer(records[3]["text"], truncation=True)["input_ids"]


@pytest.mark.parametrize("pairs", [False, True])
def test_what_was_cut_is_counted_as_the_tokens_of_fairseq_are(chain, tokenizer, pairs):
    records = list(read_jsonl(chain.data / "test.jsonl"))
    words = "".join(record["text"] + " " for record in records)
    for number, record in enumerate(records):
        record["text"] = record["text"] if number % 3 else words[: 40 * number]
        if pairs:
            record["text_pair"] = words[30 * number : 45 * number]
    examples = classification.encode(records, tokenizer)
    found = classification.count_cut(records, examples, tokenizer)
    encoder = encoder_of(chain.tokens / "sentencepiece.bpe.model", chain.tokens / "dict.txt", 1)
    for _ in encoder.batches(map(text_of, records), longest=tokenizer.model_max_length - 2):
        pass
    assert found == {key: encoder.counts[key] for key in found}
    assert 0 < found["cut"] < len(records) and found["cut"] < found["lost"] < found["pieces"]


def test_nothing_is_cut_of_short_texts(tokenizer):
    records = [{"text": "good", "label": LABELS[0]}, {"text": "", "label": LABELS[1]}]
    examples = classification.encode(records, tokenizer)
    pieces = len(tokenizer("good")["input_ids"]) - 2
    assert classification.count_cut(records, examples, tokenizer) == {
        "texts": 2, "cut": 0, "pieces": pieces, "lost": 0,
    }  # fmt: skip


def test_each_text_has_its_row_whatever_the_batches(tokenizer, examples):
    torch.manual_seed(0)
    model = RobertaForSequenceClassification(conversion.roberta_config(ARCHITECTURE, LABELS))
    for weight in model.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    model.train()  # dropout must be switched off
    collator = DataCollatorWithPadding(tokenizer)
    found = [
        classification.class_probabilities(model, examples, collator, size) for size in (64, 1, 5)
    ]
    assert found[0].shape == (len(examples), 2) and found[0].dtype == np.float32
    np.testing.assert_allclose(found[0].sum(axis=1), 1, atol=1e-6)
    assert found[0].std(axis=0).min() > 1e-2
    np.testing.assert_allclose(found[1], found[0], atol=1e-6)
    np.testing.assert_allclose(found[2], found[0], atol=1e-6)
    with torch.inference_mode():
        logits = model(torch.tensor([examples[7]["input_ids"]])).logits
    np.testing.assert_allclose(found[0][7], logits.softmax(-1)[0].numpy(), atol=1e-6)
