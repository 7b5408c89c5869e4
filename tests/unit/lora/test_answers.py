import math

import pytest
import torch

from seedwise.errors import UserError
from seedwise.lora.adapters import load_base, load_tokenizer
from seedwise.lora.answers import (
    IGNORED,
    encode_pairs,
    encode_prompt,
    generate_answers,
    mean_token_loss,
    perplexity,
)
from support.tiny.bloom import write_base

TEMPLATE = "<human>: {question}\n<assistant>: {answer}"
RECORD = {"id": "train-1", "question": "what is a dog?", "answer": "an animal"}


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    return write_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def tokenizer(base):
    return load_tokenizer(base)


def test_loss_on_the_answer_or_on_the_whole_text(tokenizer):
    (answer,) = encode_pairs(tokenizer, [RECORD], TEMPLATE, "answer", 64)
    (whole,) = encode_pairs(tokenizer, [RECORD], TEMPLATE, "prompt", 64)
    assert answer["input_ids"] == whole["input_ids"] == whole["labels"]
    learnt = [label for label in answer["labels"] if label != IGNORED]
    assert tokenizer.decode(learnt) == " an animal</s>"
    assert answer["labels"][-len(learnt) :] == answer["input_ids"][-len(learnt) :]
    text = TEMPLATE.format(**RECORD)
    assert whole["input_ids"] == [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]


def test_a_cut_text_has_no_end_and_a_long_prompt_is_refused(tokenizer):
    (full,) = encode_pairs(tokenizer, [RECORD], TEMPLATE, "answer", 64)
    length = len(full["input_ids"])
    (cut,) = encode_pairs(tokenizer, [RECORD], TEMPLATE, "answer", length - 1)
    assert tokenizer.eos_token_id not in cut["input_ids"]
    with pytest.raises(UserError, match=r"train-1: the prompt has \d+ tokens, so max_tokens: 4"):
        encode_pairs(tokenizer, [RECORD], TEMPLATE, "answer", 4)


def test_loss_is_a_mean_over_tokens_whatever_the_padding(base, tokenizer):
    model = load_base(base, {"type": "none"}, "cpu")
    records = [RECORD, RECORD | {"question": "?" * 20, "answer": "yes " * 9}]
    examples = encode_pairs(tokenizer, records, TEMPLATE, "answer", 128)
    total = tokens = 0
    for example in examples:
        ids = torch.tensor([example["input_ids"]])
        labels = torch.tensor([example["labels"]])
        count = int((labels[:, 1:] != IGNORED).sum())
        total += model(input_ids=ids, labels=labels).loss.item() * count
        tokens += count
    measured = mean_token_loss(model, examples, tokenizer.pad_token_id)
    assert measured == pytest.approx(total / tokens, abs=1e-5)
    assert perplexity(measured) == pytest.approx(math.exp(measured))


def test_loss_pads_few_texts_together_however_small_the_vocabulary(base, tokenizer):
    model = load_base(base, {"type": "none"}, "cpu")
    texts = [RECORD | {"answer": "yes " * (1 + n)} for n in range(100)]
    examples = encode_pairs(tokenizer, texts, TEMPLATE, "answer", 128)
    passed = []
    model.register_forward_pre_hook(
        lambda _, __, inputs: passed.append(inputs["input_ids"].numel()), with_kwargs=True
    )
    mean_token_loss(model, examples, tokenizer.pad_token_id)
    real = sum(len(example["input_ids"]) for example in examples)
    assert max(passed) <= 2048 and sum(passed) < 1.3 * real


def test_generation_stops_at_the_end_token_and_repeats_with_its_seed(base, tokenizer):
    model = load_base(base, {"type": "none"}, "cpu")
    prompts = [encode_prompt(tokenizer, TEMPLATE, q) for q in ("what is a dog?", "cat?")]
    sampling = {"max_new_tokens": 6, "temperature": 20.0, "top_p": 1.0, "top_k": 0}
    answers = generate_answers(model, tokenizer, prompts, sampling, seed=1)
    assert answers == generate_answers(model, tokenizer, prompts, sampling, seed=1)
    assert answers != generate_answers(model, tokenizer, prompts, sampling, seed=2)

    with torch.no_grad():  # the end token becomes certain after one more token
        model.transformer.ln_f.bias += 1e3 * model.transformer.word_embeddings.weight[2]
    stopped = generate_answers(model, tokenizer, prompts, sampling, seed=1)
    assert stopped == [("", True), ("", True)]
