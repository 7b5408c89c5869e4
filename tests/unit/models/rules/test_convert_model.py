import numpy as np
import pytest
from transformers import AutoModelForMaskedLM, AutoTokenizer

import convert_model
import predict_reference
from seedwise.errors import UserError
from seedwise.files import read_json, read_jsonl, write_jsonl
from support.tiny.chain import ARCHITECTURE, SPLITS, write_chain, write_checkpoint


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    chain = write_chain(tmp_path_factory.mktemp("chain"))
    predict_reference.main(
        model=chain.pretrained,
        binarized=chain.binarized / "input0",
        reference=chain.folder / "reference.npz",
    )
    return chain


def convert(chain, output, **changes):
    arguments = {
        "checkpoint": chain.pretrained,
        "tokenizer": chain.tokens / "sentencepiece.bpe.model",
        "dictionary": chain.tokens / "dict.txt",
        "reference": chain.folder / "reference.npz",
        "texts": [chain.data / f"{split}.jsonl" for split in SPLITS],
        "tokens": [chain.binarized / "input0" / f"{split}.bin" for split in SPLITS],
        "architecture": ARCHITECTURE,
        "max_tokens": ARCHITECTURE["max_positions"],
        "folder": output / "transformers",
        "report": output / "conversion.json",
    }
    convert_model.main(**arguments | changes)


def test_a_checked_folder_is_written(chain, tmp_path):
    convert(chain, tmp_path)
    report = read_json(tmp_path / "conversion.json")
    assert 0 <= report["largest_logit_difference"] <= 1e-4
    assert report["texts_with_equal_ids"] == 133
    model = AutoModelForMaskedLM.from_pretrained(tmp_path / "transformers")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "transformers")
    assert model(**tokenizer("a film", return_tensors="pt")).logits.shape[-1] == 160


def test_other_logits_are_refused(chain, tmp_path):
    write_checkpoint(tmp_path / "other.pt", seed=1)
    with pytest.raises(UserError, match=r"logits differ from fairseq's by .*more than 0.0001"):
        convert(chain, tmp_path / "out", checkpoint=tmp_path / "other.pt")
    assert not (tmp_path / "out").exists()


def test_not_a_number_is_refused(chain, tmp_path):
    reference = dict(np.load(chain.folder / "reference.npz"))
    reference["logits"][0, 0] = np.nan
    np.savez(tmp_path / "reference.npz", **reference)
    with pytest.raises(UserError, match="by nan, more than"):
        convert(chain, tmp_path / "out", reference=tmp_path / "reference.npz")


def test_other_ids_are_refused_and_nothing_is_left(chain, tmp_path):
    records = list(read_jsonl(chain.data / "train.jsonl"))
    records[4]["text"] = f"more {records[4]['text']}"
    write_jsonl(tmp_path / "train.jsonl", records)
    texts = [tmp_path / "train.jsonl", *(chain.data / f"{s}.jsonl" for s in ("valid", "test"))]
    with pytest.raises(UserError, match=r"number 1 texts differently, the first on line 5"):
        convert(chain, tmp_path / "out", texts=texts)
    assert not list((tmp_path / "out").iterdir())
