"""Tiny random models of many types, each with a tokenizer of its kind, as people publish them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import sentencepiece
import torch
from tokenizers import BertWordPieceTokenizer, ByteLevelBPETokenizer
from transformers import CONFIG_MAPPING, AutoModelForMaskedLM, PreTrainedTokenizerFast

from seedwise.files import write_json
from support.small_texts import TEXTS

ROWS = 300
POSITIONS = 24
# No two sizes alike.
SIZES = {
    "vocab_size": ROWS,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "intermediate_size": 40,
    "max_position_embeddings": POSITIONS,
}
BERT_IDS = {"pad_token_id": 0}
ROBERTA_IDS = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2}
ROBERTA = ROBERTA_IDS | {"max_position_embeddings": POSITIONS + 2}


def _word_pieces(folder: Path, special: dict[str, str], name: str, *, whole: bool) -> None:
    """Write a WordPiece tokenizer of this class: ``tokenizer.json``, or ``vocab.txt`` alone."""
    tokenizer = BertWordPieceTokenizer(unk_token="[UNK]")
    tokenizer.train_from_iterator(TEXTS, vocab_size=200, special_tokens=list(special.values()))
    tokenizer.save_model(str(folder))  # vocab.txt
    if whole:
        import transformers

        own = getattr(transformers, name).from_pretrained(folder, **special)
        own.save_pretrained(folder)
        (folder / "vocab.txt").unlink()
    else:
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": name, **special})


def _bert_pieces(name: str, *, whole: bool) -> Callable[[Path], None]:
    special = {
        "pad_token": "[PAD]",
        "unk_token": "[UNK]",
        "cls_token": "[CLS]",
        "sep_token": "[SEP]",
        "mask_token": "[MASK]",
    }
    return lambda folder: _word_pieces(folder, special, name, whole=whole)


def _mpnet_pieces(folder: Path) -> None:
    special = {
        "bos_token": "<s>",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "[UNK]",
        "mask_token": "<mask>",
    }
    _word_pieces(folder, special, "MPNetTokenizer", whole=False)


def _bytes(folder: Path) -> None:
    """Write RoBERTa's ``vocab.json`` and ``merges.txt``."""
    tokenizer = ByteLevelBPETokenizer()
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    tokenizer.train_from_iterator(TEXTS, vocab_size=ROWS - 1, special_tokens=special)
    tokenizer.save_model(str(folder))
    write_json(folder / "tokenizer_config.json", {"tokenizer_class": "RobertaTokenizer"})


def _bytes_in_one_file(folder: Path) -> None:
    """Write a ``tokenizer.json`` as ModernBERT has it."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = ByteLevelBPETokenizer()
    special = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]"]
    tokenizer.train_from_iterator(TEXTS, vocab_size=ROWS - 1, special_tokens=special)
    tokenizer.post_processor = TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 0), ("[SEP]", 2)]
    )
    names = dict(zip(("cls", "pad", "sep", "unk", "mask"), special, strict=True))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer._tokenizer,
        model_max_length=8192,
        **{f"{name}_token": token for name, token in names.items()},
    ).save_pretrained(folder)


def _sentencepiece(file: str, name: str, **options: Any) -> Callable[[Path], None]:
    """Write a SentencePiece model of this name alone."""

    def write(folder: Path) -> None:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(TEXTS),
            model_prefix=str(folder / "made"),
            vocab_size=150,
            minloglevel=2,
            **options,
        )
        (folder / "made.model").rename(folder / file)
        (folder / "made.vocab").unlink()
        write_json(folder / "tokenizer_config.json", {"tokenizer_class": name})

    return write


ALBERT_PIECES = {
    "pad_id": 0,
    "unk_id": 1,
    "bos_id": -1,
    "eos_id": -1,
    "pad_piece": "<pad>",
    "control_symbols": ["[CLS]", "[SEP]", "[MASK]"],
}
DEBERTA_PIECES = {
    "pad_id": 0,
    "bos_id": 1,
    "eos_id": 2,
    "unk_id": 3,
    "pad_piece": "[PAD]",
    "bos_piece": "[CLS]",
    "eos_piece": "[SEP]",
    "unk_piece": "[UNK]",
}

# The ten types of the study in tests/integration/test_encoders.py: configuration and tokenizer.
ENCODERS: dict[str, tuple[dict[str, Any], Callable[[Path], None]]] = {
    "bert": (BERT_IDS, _bert_pieces("BertTokenizer", whole=False)),
    "distilbert": (
        BERT_IDS | {"dim": 24, "n_layers": 3, "n_heads": 6, "hidden_dim": 40},
        _bert_pieces("DistilBertTokenizer", whole=True),
    ),
    "electra": (BERT_IDS | {"embedding_size": 12}, _bert_pieces("ElectraTokenizer", whole=True)),
    "albert": (
        BERT_IDS | {"embedding_size": 12, "bos_token_id": 2, "eos_token_id": 3},
        _sentencepiece("spiece.model", "AlbertTokenizer", **ALBERT_PIECES),
    ),
    "mpnet": (ROBERTA, _mpnet_pieces),
    "deberta-v2": (
        BERT_IDS
        | {
            "relative_attention": True,
            "position_buckets": 8,
            "pos_att_type": ["p2c", "c2p"],
            "norm_rel_ebd": "layer_norm",
            "share_att_key": True,
            "position_biased_input": False,
            "type_vocab_size": 0,
        },
        _sentencepiece("spm.model", "DebertaV2Tokenizer", **DEBERTA_PIECES),
    ),
    "modernbert": (
        {
            "local_attention": 4,
            "global_attn_every_n_layers": 3,
            "cls_token_id": 0,
            "bos_token_id": 0,
            "pad_token_id": 1,
            "sep_token_id": 2,
            "eos_token_id": 2,
            "max_position_embeddings": 64,
        },
        _bytes_in_one_file,
    ),
    "roberta": (ROBERTA | {"type_vocab_size": 1}, _bytes),
    "camembert": (
        ROBERTA | {"type_vocab_size": 1},
        _sentencepiece("sentencepiece.bpe.model", "CamembertTokenizer"),
    ),
    "xlm-roberta": (
        ROBERTA | {"type_vocab_size": 1},
        _sentencepiece("sentencepiece.bpe.model", "XLMRobertaTokenizer"),
    ),
}

# What another type needs besides, to be tiny.
OTHERS = {"mobilebert": {"embedding_size": 12, "intra_bottleneck_size": 24}}


def write_encoder(folder: Path, kind: str, **options: Any) -> Path:
    """Write a published folder of this type: a model for masked language and its tokenizer.

    ``options`` are those of `save_pretrained`.
    """
    own, write_tokenizer = ENCODERS.get(kind, (ROBERTA | OTHERS.get(kind, {}), _bytes_in_one_file))
    folder.mkdir(parents=True)
    write_tokenizer(folder)
    torch.manual_seed(0)
    model = AutoModelForMaskedLM.from_config(CONFIG_MAPPING[kind](**SIZES | own))
    model.save_pretrained(folder, **options)
    return folder
