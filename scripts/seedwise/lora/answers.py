"""Questions and answers as a causal language model has them: tokens, losses, sampled answers."""

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase, set_seed

from seedwise.errors import UserError
from seedwise.lora.questions import answer_text, prompt_text
from seedwise.predictions.batches import PROCESSOR_TOKENS, batches

IGNORED = -100  # torch's cross entropy leaves labels of this value out
_PROMPTS = 8
_LOGITS = 1 << 27
"""Numbers in the logits of a batch (0.5 GiB in float32), unless one text has more."""

CHAT = "chat"
"""The template of the base model's own tokenizer."""

Example = dict[str, list[int]]


def encode_prompt(tokenizer: PreTrainedTokenizerBase, template: str, question: str) -> list[int]:
    """Return the tokens from which an answer is generated.

    They begin with the token that the tokenizer begins every text with, if it does, as Llama's and
    Gemma's do.

    Raises:
        UserError: The template is `CHAT`, and the tokenizer has none.
    """
    if template == CHAT:
        return _chat(tokenizer, [{"role": "user", "content": question}], add_generation_prompt=True)
    first = tokenizer("a")["input_ids"][:1]
    begun = first if first == [tokenizer.bos_token_id] else []
    return begun + tokenizer(prompt_text(template, question), add_special_tokens=False)["input_ids"]


def encode_answer(
    tokenizer: PreTrainedTokenizerBase, template: str, record: dict[str, str], prompt: list[int]
) -> list[int]:
    """Return the tokens that follow a prompt, up to the end token.

    Raises:
        UserError: The tokenizer's chat template writes a question otherwise with its answer.
    """
    end = tokenizer.eos_token_id
    if template != CHAT:
        text = answer_text(template, record["answer"])
        return [*tokenizer(text, add_special_tokens=False)["input_ids"], end]
    turns = [
        {"role": role, "content": record[key]}
        for role, key in (("user", "question"), ("assistant", "answer"))
    ]
    whole = _chat(tokenizer, turns)
    if whole[: len(prompt)] != prompt:
        raise UserError(
            f"{record['id']}: the chat template of the base model writes a question otherwise when "
            "its answer follows; give a `template` of your own"
        )
    answer = whole[len(prompt) :]
    return answer if end in answer else [*answer, end]


def _chat(
    tokenizer: PreTrainedTokenizerBase, turns: list[dict[str, str]], **options: bool
) -> list[int]:
    if not tokenizer.chat_template:
        raise UserError(
            "template: 'chat', but the tokenizer of the base model has no chat template; write one"
        )
    return tokenizer.apply_chat_template(turns, tokenize=True, return_dict=True, **options)[
        "input_ids"
    ]


def encode_pairs(
    tokenizer: PreTrainedTokenizerBase,
    records: Iterable[dict[str, str]],
    template: str,
    loss: str,
    max_tokens: int,
) -> list[Example]:
    """Turn questions and answers into tokens, an end token after each answer.

    Args:
        tokenizer: The base model's.
        records: With ``id``, ``question`` and ``answer``.
        template: The prompt template, or `CHAT`.
        loss: ``answer`` gives the prompt's tokens the label `IGNORED`; ``prompt`` none.
        max_tokens: What lies beyond is cut, the end token with it: a cut answer has no end.

    Raises:
        UserError: A prompt leaves no room for any token of the answer.
    """
    examples = []
    for record in records:
        prompt = encode_prompt(tokenizer, template, record["question"])
        answer = encode_answer(tokenizer, template, record, prompt)
        tokens = [*prompt, *answer][:max_tokens]
        if len(prompt) >= len(tokens):
            raise UserError(
                f"{record['id']}: the prompt has {len(prompt)} tokens, so max_tokens: "
                f"{max_tokens} leaves no room for the answer"
            )
        learnt = tokens if loss == "prompt" else [IGNORED] * len(prompt) + tokens[len(prompt) :]
        examples.append({"input_ids": tokens, "labels": list(learnt)})
    return examples


@torch.no_grad()
def mean_token_loss(model: nn.Module, examples: list[Example], pad_id: int) -> float:
    """Return the mean negative log-likelihood (nats) of all learnt tokens of ``examples``."""
    was_training = model.training
    model.eval()
    device = next(model.parameters()).device
    lengths = [len(example["input_ids"]) for example in examples]
    total, count = 0.0, 0
    # On a GPU, too: more together would be padded more.
    for numbers in batches(lengths, min(PROCESSOR_TOKENS, _LOGITS // model.config.vocab_size)):
        batch = [examples[number] for number in numbers]
        width = lengths[numbers[0]]
        ids, labels, mask = (
            torch.tensor([row + [fill] * (width - len(row)) for row in rows], device=device)
            for rows, fill in (
                ([example["input_ids"] for example in batch], pad_id),
                ([example["labels"] for example in batch], IGNORED),
                ([[1] * len(example["input_ids"]) for example in batch], 0),
            )
        )
        logits = model(input_ids=ids, attention_mask=mask).logits[:, :-1].float()  # (B, T-1, V)
        targets = labels[:, 1:]
        total += nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum"
        ).item()
        count += int((targets != IGNORED).sum())
    model.train(was_training)
    return total / count


def perplexity(loss: float) -> float:
    """Return the perplexity that belongs to a mean token loss in nats."""
    return math.exp(loss)


@torch.no_grad()
def generate_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[list[int]],
    sampling: dict[str, Any],
    seed: int,
) -> list[tuple[str, bool]]:
    """Sample one answer to each prompt.

    Args:
        model: The language model.
        tokenizer: Its tokenizer.
        prompts: Tokens, from `encode_prompt`.
        sampling: ``max_new_tokens``, ``temperature``, ``top_p``, ``top_k``.
        seed: Seeds the sampling.

    Returns:
        The answers, and whether each ended by itself, with an end token.
    """
    model.eval()
    set_seed(seed)
    config = GenerationConfig(
        do_sample=True,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        **sampling,
    )
    answers = []
    for start in range(0, len(prompts), _PROMPTS):
        batch = tokenizer.pad(
            {"input_ids": prompts[start : start + _PROMPTS]},
            padding_side="left",
            return_tensors="pt",
        ).to(model.device)
        output = model.generate(**batch, generation_config=config)
        for row in output[:, batch["input_ids"].shape[1] :].tolist():
            stopped = tokenizer.eos_token_id in row
            tokens = row[: row.index(tokenizer.eos_token_id)] if stopped else row
            answers.append((tokenizer.decode(tokens, skip_special_tokens=True).strip(), stopped))
    return answers


@torch.no_grad()
def last_logits(model: PreTrainedModel, prompts: list[list[int]]) -> torch.Tensor:
    """Return the next-token logits (N, V) after each prompt, in float32 on the CPU."""
    model.eval()
    rows = [
        model(input_ids=torch.tensor([prompt], device=model.device)).logits[0, -1]
        for prompt in prompts
    ]
    return torch.stack(rows).float().cpu()
