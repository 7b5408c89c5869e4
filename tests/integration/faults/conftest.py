"""Small trainings of every kind, and what they give where nothing happens to them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

import finetune_fairseq
import finetune_lora
import finetune_transformers
import pretrain_bloom
import pretrain_model
from seedwise.files import write_jsonl
from support import processes
from support.tiny import bloom as tiny_bloom
from support.tiny import chain as tiny_chain
from support.tiny.chain import ARCHITECTURE, write_chain
from support.tiny.pretraining import PRETRAIN, write_corpus

CHECKPOINT_UPDATES = 3


@dataclass(frozen=True)
class Training:
    """A training: what runs it in a folder, what it leaves there, and when to kill it.

    Attributes:
        last_step: the function that begins its last part, after the training.
        write: number of the call of `torch.save` to die in; it is one inside the last epoch.
        copy: number of the copy of a checkpoint to die in, for fairseq, which makes copies.
    """

    main: Callable[[Path], None]
    files: tuple[str, ...]
    last_step: tuple[object, str]
    write: int
    copy: int = 0


@pytest.fixture(scope="session")
def chain(tmp_path_factory):
    chain = write_chain(tmp_path_factory.mktemp("chain"))
    write_corpus(chain)
    return chain


@pytest.fixture(scope="session")
def trainings(chain, tmp_path_factory):
    base = tiny_bloom.write_base(tmp_path_factory.mktemp("base"))
    splits = tiny_bloom.write_questions(tmp_path_factory.mktemp("questions"))
    corpus = base / "corpus.jsonl"
    write_jsonl(corpus, [{"id": str(n), "text": t} for n, t in enumerate(tiny_bloom.CORPUS)])
    contract = ("history.csv", "predictions.csv", "metrics.json")

    def run(engine, chain):
        return tiny_chain.make_run(chain, engine, epochs=2, checkpoint_updates=CHECKPOINT_UPDATES)

    def outputs(folder, *names):
        return {Path(name).stem: folder / name for name in names}

    def fairseq(folder, chain=chain):
        finetune_fairseq.main(
            run=run("fairseq", chain),
            binarized=chain.binarized,
            pretrained=None,
            **outputs(folder, *contract, "model.pt"),
        )

    def with_transformers(folder, chain=chain):
        finetune_transformers.main(
            run=run("transformers", chain),
            start=None,
            tokenizer_files=[chain.tokens / n for n in ("sentencepiece.bpe.model", "dict.txt")],
            **outputs(folder, *contract, "model"),
        )

    def lora(folder):
        names = ("adapter", "history.csv", "parameters.csv", "generations.jsonl", "metrics.json")
        settings = tiny_bloom.run_settings(eval_updates=5, checkpoint_updates=CHECKPOINT_UPDATES)
        finetune_lora.main(
            base=base, splits=splits, settings=settings, seed=0, **outputs(folder, *names)
        )

    def masked_lm(folder):
        pretrain_model.main(
            corpus=sorted((chain.folder / "corpus").iterdir()),
            settings={
                "architecture": ARCHITECTURE,
                "pretrain": PRETRAIN | {"checkpoint_updates": CHECKPOINT_UPDATES, "updates": 14},
            },
            **outputs(folder, "model.pt", "history.csv", "metrics.json"),
        )

    def causal_lm(folder):
        pretrain = PRETRAIN | {"checkpoint_updates": CHECKPOINT_UPDATES, "block_tokens": 16}
        pretrain_bloom.main(
            corpus=[corpus],
            settings={"architecture": tiny_bloom.ARCHITECTURE, "pretrain": pretrain},
            folder=folder / "model",
            **outputs(folder, "history.csv", "metrics.json"),
        )

    run_files = ("history.csv", "predictions.csv")
    known = {"range": [0, 10], "mean_score": {"score": 5.0, "test_mae": 3.0}}
    records = tiny_chain.score_records()
    scored = write_chain(tmp_path_factory.mktemp("scored"), records, ["score"], **known)
    return {
        "fairseq-scores": Training(
            partial(fairseq, chain=scored),
            (*run_files, "model.pt"),
            (finetune_fairseq, "write_run"),
            6,
        ),
        "transformers-scores": Training(
            partial(with_transformers, chain=scored),
            (*run_files, "model/model.safetensors"),
            (finetune_transformers, "write_run"),
            16,
        ),
        "fairseq": Training(
            fairseq, (*run_files, "model.pt"), (finetune_fairseq, "write_run"), 6, 9
        ),
        "transformers": Training(
            with_transformers,
            (*run_files, "model/model.safetensors"),
            (finetune_transformers, "write_run"),
            16,
        ),
        "lora": Training(
            lora,
            ("history.csv", "generations.jsonl", "adapter/adapter_model.safetensors"),
            (finetune_lora, "save_file"),
            10,
        ),
        "masked-lm": Training(
            masked_lm, ("history.csv", "model.pt"), (pretrain_model, "write_json"), 4, 8
        ),
        "causal-lm": Training(
            causal_lm,
            ("history.csv", "model/model.safetensors"),
            (pretrain_bloom, "write_json"),
            16,
        ),
    }


@pytest.fixture(scope="session")
def undisturbed(trainings, tmp_path_factory):
    """The folders of trainings that nothing happened to."""
    folders = {}
    for name, training in trainings.items():
        folders[name] = tmp_path_factory.mktemp(name)
        code, log = processes.run(
            lambda t=training, n=name: t.main(folders[n]), folders[name] / "log"
        )
        assert code == 0, log
    return folders
