import shutil
import zipfile

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from seedwise.errors import UserError
from seedwise.models.checkpoints import load_checkpoint
from support.published_models import TINY, Canary, convert, import_from, write_fairseq_checkpoint
from support.small_texts import RECORDS
from support.tiny.gpt2 import ARCHITECTURE, write_gpt2_checkpoint


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write_fairseq_checkpoint(tmp_path_factory.mktemp("fork") / "small_fr", TINY)


@pytest.fixture
def folder(published, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(published, tmp_path / "small_fr")


def test_a_checkpoint_of_a_fork_is_imported_and_converted(published, tmp_path):
    model = import_from(published, tmp_path)
    checkpoint, original = load_checkpoint(model), load_checkpoint(published / "model.pt")
    assert checkpoint["args"].arch == "roberta"
    assert checkpoint["cfg"] is None  # nothing that the fork wrote but the weights
    assert len(checkpoint["model"]) > 3 * 16
    for name, weight in checkpoint["model"].items():
        assert torch.equal(weight, original["model"][name]), name
    report = convert(tmp_path, TINY)
    assert report["largest_logit_difference"] < 1e-4
    assert report["texts_with_equal_ids"] == len(RECORDS)
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "transformers")
    ids = np.concatenate([tokenizer(record["text"])["input_ids"] for record in RECORDS])
    unknown = (ids == tokenizer.unk_token_id).mean()
    assert 0.01 < unknown < 0.3  # the pieces that the dictionary lacks


GPT2 = ("tokenizer.json", "tokenizer_config.json")


def test_a_checkpoint_with_gpt2s_bpe_is_imported_and_converted(tmp_path):
    folder = write_gpt2_checkpoint(tmp_path / "roberta.tiny")
    import_from(folder, tmp_path, ARCHITECTURE, tokenizer=GPT2)
    left = {path.name for path in (tmp_path / "tokens").iterdir()}
    assert left == {"dict.txt", *GPT2}
    report = convert(tmp_path, ARCHITECTURE, tokenizer=GPT2[0])
    assert report["largest_logit_difference"] < 1e-4
    assert report["texts_with_equal_ids"] == len(RECORDS)


def test_a_tokenizer_of_the_other_kind_is_missed_by_name(published, tmp_path):
    message = r"encoder\.json: missing; .*bpe: sentencepiece .*holds dict"
    with pytest.raises(UserError, match=message):
        import_from(published, tmp_path, tokenizer=GPT2)
    folder = write_gpt2_checkpoint(tmp_path / "roberta.tiny")
    with pytest.raises(UserError, match=r"bpe\.model: missing; .*bpe: gpt2 .* holds dict"):
        import_from(folder, tmp_path, ARCHITECTURE)


def test_a_gpt2_dictionary_of_another_size_is_refused(tmp_path):
    folder = write_gpt2_checkpoint(tmp_path / "roberta.tiny")
    with (folder / "dict.txt").open("a") as stream:
        stream.write("madeupword0003 0\n")
    with pytest.raises(UserError, match=r"dict\.txt: 304 pieces .* has 308 rows"):
        import_from(folder, tmp_path, ARCHITECTURE, tokenizer=GPT2)
    assert not (tmp_path / "tokens").exists()


def test_old_names_and_half_precision_are_brought_up_to_date(published, folder, tmp_path):
    checkpoint = load_checkpoint(folder / "model.pt")
    old = {
        name.replace("encoder.", "decoder.", 1).replace("layernorm_embedding", "emb_layer_norm"): (
            weight.half()
        )
        for name, weight in checkpoint["model"].items()
        if ".in_proj_" not in name
    }
    torch.save({"args": checkpoint["cfg"]["model"], "model": old}, folder / "model.pt")
    new = load_checkpoint(import_from(folder, tmp_path / "old"))["model"]
    expected = load_checkpoint(import_from(published, tmp_path / "new"))["model"]
    assert new.keys() == expected.keys()
    for name in expected:
        torch.testing.assert_close(new[name], expected[name].half().float())


def test_an_archive_is_unpacked_and_nothing_else_is_left(published, tmp_path):
    archive = tmp_path / "small_fr.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for path in published.iterdir():
            packed.write(path, f"small_fr/{path.name}")
        packed.writestr("__MACOSX/small_fr/._model.pt", b"Mac OS X")
    import_from(archive, tmp_path / "results", inner="small_fr")
    left = sorted(path.name for path in (tmp_path / "results").rglob("*") if path.is_file())
    assert left == ["dict.txt", "model.pt", "sentencepiece.bpe.model"]


def test_code_is_refused_and_not_run(folder, tmp_path):
    checkpoint = load_checkpoint(folder / "model.pt")
    canary = tmp_path / "canary"
    torch.save({"model": checkpoint["model"], "extra": Canary(canary)}, folder / "model.pt")
    message = r"small_fr/model\.pt: refused, because it carries code.*mkdir"
    with pytest.raises(UserError, match=message):
        import_from(folder, tmp_path / "results")
    assert not canary.exists()
    assert not list((tmp_path / "results").rglob("*.*"))


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("layers", 4, "layers is 3 there, 4 in the study$"),
        ("embed_dim", 48, "embed_dim is 24 there, 48 in the study$"),
        ("ffn_dim", 24, "ffn_dim is 40 there, 24 in the study$"),
        ("attention_heads", 4, "attention_heads is 6 there, 4 in the study$"),
        ("max_positions", 64, "max_positions is 34 there, 64 in the study$"),
        ("vocab_size", 151, "vocab_size is 150 there, 151 in the study$"),
    ],
)
def test_another_architecture_is_refused_by_the_size_that_differs(
    published, tmp_path, name, size, message
):
    with pytest.raises(UserError, match=rf"model\.pt: .*models\.small\.architecture: {message}"):
        import_from(published, tmp_path, TINY | {name: size})
    assert not list(tmp_path.iterdir()) or not list((tmp_path / "pretrained").iterdir())


def test_missing_weights_are_named(folder, tmp_path):
    checkpoint = load_checkpoint(folder / "model.pt")
    del checkpoint["model"]["encoder.lm_head.dense.weight"]
    torch.save(checkpoint, folder / "model.pt")
    with pytest.raises(UserError, match=r"model\.pt: .*encoder\.lm_head\.dense\.weight"):
        import_from(folder, tmp_path / "results")


def spoil_dictionary(lines):
    return {
        "one line less": (lines[:-1], "144 pieces and 5 symbols that fairseq adds make 149"),
        "one line more": (
            [*lines, "more 1"],
            "146 pieces .* make 151.* has 150 rows",
        ),
        "a mask of its own": ([*lines[1:], "<mask> 1"], "145 pieces and 4 symbols .* make 149"),
        "no count": ([*lines[:-1], "piece"], r"dict\.txt, line 145: 'piece' is not a piece"),
        "a piece twice": ([*lines[:-1], lines[0]], r"dict\.txt, line 145: .* already"),
        "a symbol of fairseq": (["</s> 1", *lines[1:]], r"dict\.txt, line 1: .*'</s>' already"),
        "other pieces": ([f"piece{n} 1" for n in range(145)], "no piece of it is in sentencepiece"),
    }


@pytest.mark.parametrize("case", list(spoil_dictionary(["a 1"])))
def test_a_dictionary_that_does_not_fit_is_refused(folder, tmp_path, case):
    dictionary = folder / "dict.txt"
    lines, message = spoil_dictionary(dictionary.read_text(encoding="utf-8").splitlines())[case]
    dictionary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    with pytest.raises(UserError, match=message):
        import_from(folder, tmp_path / "results")
    assert not list((tmp_path / "results").rglob("*.*"))


def test_other_files_are_named(folder, tmp_path):
    (folder / "sentencepiece.bpe.model").write_bytes(b"<html>")
    with pytest.raises(UserError, match=r"small_fr/sentencepiece\.bpe\.model: not a SentencePiece"):
        import_from(folder, tmp_path / "results")
    (folder / "dict.txt").rename(folder / "vocab.txt")
    with pytest.raises(UserError, match=r"dict\.txt: missing; the folder holds model\.pt, .*vocab"):
        import_from(folder, tmp_path / "results")
