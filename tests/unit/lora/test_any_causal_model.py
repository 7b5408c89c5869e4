"""LoRA on small random models of types that people use, each with its own kind of tokenizer."""

import copy
import json

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import (
    GemmaConfig,
    GemmaForCausalLM,
    GemmaTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    GPT2Tokenizer,
    LlamaConfig,
    LlamaForCausalLM,
    LlamaTokenizer,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2Tokenizer,
)

from finetune_lora import main
from seedwise.errors import UserError
from seedwise.files import read_jsonl
from seedwise.lora.adapters import empty_model, load_base, load_tokenizer
from seedwise.lora.answers import CHAT, IGNORED, encode_pairs, encode_prompt
from seedwise.training.adapters import with_targets
from support.tiny.bloom import CORPUS, run_settings, write_base, write_questions

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 16,
}
CHATML = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


def vocabulary(special, bytes_too):
    """Train a byte-pair encoding; return its vocabulary and merges."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=not bytes_too))
    alphabet = pre_tokenizers.ByteLevel.alphabet() if bytes_too else []
    if bytes_too:
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        texts = CORPUS
    else:
        special = [*special, *(f"<0x{byte:02X}>" for byte in range(256))]
        texts = [text.replace(" ", "▁") for text in CORPUS]
    trainer = trainers.BpeTrainer(
        vocab_size=len(special) + 320, special_tokens=special, initial_alphabet=alphabet
    )
    tokenizer.train_from_iterator(texts, trainer)
    model = json.loads(tokenizer.to_str())["model"]
    return model["vocab"], [tuple(merge) for merge in model["merges"]]


def llama():
    vocab, merges = vocabulary(["<unk>", "<s>", "</s>"], bytes_too=False)
    tokenizer = LlamaTokenizer(vocab=vocab, merges=merges, add_bos_token=True)
    return tokenizer, LlamaForCausalLM(LlamaConfig(vocab_size=len(tokenizer), **SIZES))


def gemma():
    vocab, merges = vocabulary(["<pad>", "<eos>", "<bos>", "<unk>"], bytes_too=False)
    tokenizer = GemmaTokenizer(vocab=vocab, merges=merges, add_bos_token=True)
    return tokenizer, GemmaForCausalLM(GemmaConfig(vocab_size=len(tokenizer), **SIZES))


def qwen2():
    vocab, merges = vocabulary(["<|endoftext|>"], bytes_too=True)
    tokenizer = Qwen2Tokenizer(vocab=vocab, merges=merges)
    sizes = {key: value for key, value in SIZES.items() if key != "head_dim"}
    return tokenizer, Qwen2ForCausalLM(Qwen2Config(vocab_size=len(tokenizer), **sizes))


def gpt2():
    vocab, merges = vocabulary(["<|endoftext|>"], bytes_too=True)
    tokenizer = GPT2Tokenizer(vocab=vocab, merges=merges)
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=2, n_head=2, n_positions=128)
    return tokenizer, GPT2LMHeadModel(config)


TYPES = {"llama": llama, "gemma": gemma, "qwen2": qwen2, "gpt2": gpt2, "bloom": None}


@pytest.fixture(scope="module", params=TYPES)
def base(request, tmp_path_factory):
    """A base model's folder."""
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    if request.param == "bloom":
        return write_base(folder)
    tokenizer, model = TYPES[request.param]()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def kind(folder):
    return json.loads((folder / "config.json").read_text())["model_type"]


def test_a_text_begins_as_the_models_tokenizer_begins_it(base):
    tokenizer = load_tokenizer(base)
    template = "Q: {question} A: {answer}"
    prompt = encode_prompt(tokenizer, template, "what is a dog?")
    assert prompt == tokenizer("Q: what is a dog? A:")["input_ids"]
    assert (prompt[0] == tokenizer.bos_token_id) == (kind(base) in ("llama", "gemma"))
    record = {"id": "1", "question": "what is a dog?", "answer": "an animal"}
    (example,) = encode_pairs(tokenizer, [record], template, "answer", 64)
    assert example["input_ids"][: len(prompt)] == prompt
    assert example["labels"][: len(prompt)] == [IGNORED] * len(prompt)
    assert example["input_ids"][-1] == tokenizer.eos_token_id
    assert example["input_ids"].count(tokenizer.bos_token_id) <= (
        2 if tokenizer.bos_token_id == tokenizer.eos_token_id else 1
    )


@torch.no_grad()
def reference_perplexity(base, records, template):
    """Return the perplexity of the answers, from transformers' own loss of one text at a time."""
    tokenizer, model = load_tokenizer(base), load_base(base, {"type": "none"}, "cpu").eval()
    total = count = 0
    for record in records:
        question, answer = template.format(**record).split("<assistant>:")
        prompt = tokenizer(f"{question}<assistant>:")["input_ids"]
        rest = tokenizer(answer, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
        labels = torch.tensor([[IGNORED] * len(prompt) + rest])
        loss = model(input_ids=torch.tensor([prompt + rest]), labels=labels).loss.item()
        total, count = total + loss * len(rest), count + len(rest)
    return float(torch.tensor(total / count).exp())


def test_a_run_of_any_type(base, tmp_path):
    splits = write_questions(tmp_path)
    settings = run_settings(updates=6, loss="answer", learning_rate=3e-2)
    settings["lora"] = settings["lora"] | {"target_modules": None}
    outputs = {
        name: tmp_path / name
        for name in ("adapter", "history", "parameters", "generations", "metrics")
    }
    main(base=base, splits=splits, settings=settings, seed=0, **outputs)
    metrics = json.loads(outputs["metrics"].read_text())
    expected = reference_perplexity(base, read_jsonl(splits["heldout"]), settings["template"])
    assert metrics["perplexity_before"] == pytest.approx(expected, rel=1e-4)
    assert metrics["perplexity_after"] < metrics["perplexity_before"]
    adapter = json.loads((outputs["adapter"] / "adapter_config.json").read_text())
    chosen = with_targets({"target_modules": None}, empty_model(base))["target_modules"]
    assert sorted(adapter["target_modules"]) == sorted(chosen)


def test_chat_is_the_tokenizers_template(base):
    tokenizer = copy.deepcopy(load_tokenizer(base))
    record = {"id": "1", "question": "what is a dog?", "answer": "an animal"}
    with pytest.raises(UserError, match="no chat template"):
        encode_prompt(tokenizer, CHAT, record["question"])
    tokenizer.chat_template = CHATML
    prompt = encode_prompt(tokenizer, CHAT, record["question"])
    text = "<|user|>what is a dog?<|end|><|assistant|>"
    assert prompt == tokenizer(text, add_special_tokens=False)["input_ids"]
    (example,) = encode_pairs(tokenizer, [record], CHAT, "answer", 128)
    answer = example["input_ids"][len(prompt) :]
    assert tokenizer.decode(answer[:-1]).strip() == "an animal<|end|>"
    assert answer[-1] == tokenizer.eos_token_id
    tokenizer.chat_template = CHATML.replace("<|{{ m['role'] }}|>", "{{ messages | length }}")
    with pytest.raises(UserError, match="1: the chat template of the base model writes"):
        encode_pairs(tokenizer, [record], CHAT, "answer", 128)
