import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

import convert_to_fairseq
from seedwise.errors import UserError
from seedwise.files import read_json, write_jsonl
from seedwise.models.bert_family import WORDS
from seedwise.models.checkpoints import load_checkpoint
from seedwise.tokens.vocabulary import read_dictionary
from seedwise_fairseq import launch
from seedwise_fairseq.predict import load_model
from support.converted_encoders import KINDS, Converted, encode, take_over, write_converted
from support.tiny.chain import SPLITS, split_records
from support.tiny.encoders import write_encoder


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chains")
    return {kind: write_converted(folder / kind, kind) for kind in KINDS}


@pytest.mark.parametrize("kind", KINDS)
def test_hidden_states_and_ids_are_those_of_transformers(chains, kind):
    report = chains[kind].check()
    assert 0 < report["largest_state_difference"] < 1e-5
    assert report["texts_with_equal_ids"] == 133


@pytest.mark.parametrize("kind", KINDS)
def test_files_are_those_of_fairseq_preprocess_byte_for_byte(chains, kind, tmp_path):
    """From lines of the tokenizer's own pieces, by the tokenizer's own names of them."""
    chain = chains[kind]
    tokenizer = AutoTokenizer.from_pretrained(chain.original)
    for split in SPLITS:
        # SentencePiece holds <mask> to be a piece; fairseq-preprocess does not know it.
        texts = [record for record in split_records()[split] if "<mask>" not in record["text"]]
        write_jsonl(tmp_path / f"{split}.jsonl", texts)
        encode(chain, tmp_path / f"{split}.jsonl", tmp_path / "ours" / split)
        encoded = tokenizer([record["text"] for record in texts], truncation=True)["input_ids"]
        lines = [" ".join(tokenizer.convert_ids_to_tokens(text[1:-1])) + "\n" for text in encoded]
        (tmp_path / f"{split}.pieces").write_text("".join(lines), encoding="utf-8")
    options = {f"{split}pref": tmp_path / f"{split}.pieces" for split in SPLITS}
    options["srcdict"] = chain.tokens / "dict.txt"
    options |= {"only-source": True, "destdir": tmp_path / "theirs", "workers": 1}
    launch.run("preprocess", options=options)
    for path in (tmp_path / "ours").iterdir():
        assert path.read_bytes() == (tmp_path / "theirs" / path.name).read_bytes(), path.name
    written = chain.binarized / "input0" / "dict.txt"
    assert written.read_bytes() == (tmp_path / "theirs" / "dict.txt").read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_fairseq_builds_the_model_with_its_own_eps(chains, kind):
    chain = chains[kind]
    model, task = load_model(chain.pretrained, chain.tokens, "cpu")
    eps = {m.eps for m in model.modules() if isinstance(m, torch.nn.LayerNorm)}
    assert eps == {read_json(chain.original / "config.json")["layer_norm_eps"]}
    rows = len(task.source_dictionary)
    assert rows == 300 == max(read_dictionary(chain.tokens / "dict.txt").values()) + 1


def test_a_pooler_goes_along(chains):
    weights = load_checkpoint(chains["bert"].pretrained)["model"]
    original = load_file(chains["bert"].original / "model.safetensors")
    assert torch.equal(weights["pooler.dense.weight"], original["pooler.dense.weight"])


def test_a_bert_without_pooler_is_converted(tmp_path):
    chain = Converted(tmp_path)
    take_over(write_encoder(tmp_path / "published", "bert"), chain)
    names = load_checkpoint(chain.pretrained)["model"].keys()
    assert not [name for name in names if "pooler" in name]


def test_texts_are_cut_where_the_study_says(tmp_path):
    chain = write_converted(tmp_path, "bert", max_tokens=9)
    assert chain.check()["texts_with_equal_ids"] == 133
    counts = read_json(chain.tokens / "train.audit.json")
    assert counts["max_positions"] == 9 and counts["cut"] > 0


def test_an_electra_of_two_widths_is_refused_before_anything_is_written(tmp_path):
    chain = Converted(tmp_path)
    with pytest.raises(UserError, match=r"experiments\.e\.engine: .*embedding_size is 12"):
        take_over(write_encoder(tmp_path / "published", "electra"), chain)
    assert not chain.pretrained.exists() and not chain.tokens.exists()


def test_missing_weights_are_no_silent_zeros(chains, tmp_path):
    weights = load_file(chains["bert"].original / "model.safetensors")
    config = convert_to_fairseq.AutoConfig.from_pretrained(chains["bert"].original)
    sizes = read_json(chains["bert"].architecture)
    del weights["encoder.layer.1.output.dense.weight"]
    with pytest.raises(ValueError, match=r"missing: encoder\.sentence_encoder\.layers\.1\.fc2"):
        convert_to_fairseq.fairseq_weights(weights, config, sizes, list(range(300)))


def test_other_weights_are_noticed(chains, tmp_path):
    chain = chains["roberta"]
    weights = load_file(chain.original / "model.safetensors")
    weights[WORDS] *= 1.01
    copy = tmp_path / "transformers"
    copy.mkdir()
    for path in chain.original.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    with pytest.raises(UserError, match=r"hidden states differ from .*, more than 0.0001"):
        chain.check(folder=copy, report=tmp_path / "conversion.json")
    assert not (tmp_path / "conversion.json").exists()


def test_other_ids_are_noticed_by_file_and_line(chains):
    chain = chains["camembert"]
    tokens = [chain.binarized / "input0" / f"{name}.bin" for name in ("train", "valid", "valid")]
    texts = [chain.data / f"{name}.jsonl" for name in ("train", "valid", "valid")]
    records = texts[1].read_text().splitlines()
    changed = chain.folder / "changed.jsonl"
    changed.write_text("\n".join([*records[:3], records[4], *records[4:]]) + "\n")
    texts[2] = changed
    with pytest.raises(UserError, match=r"changed\.jsonl: .* 1 texts differently, .* line 4"):
        chain.check(texts=texts, tokens=tokens)
