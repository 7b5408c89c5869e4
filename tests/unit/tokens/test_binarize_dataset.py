import pytest

import binarize_dataset
from seedwise.files import read_jsonl, write_jsonl
from seedwise.tokens.indexed import read_texts
from seedwise_fairseq import launch
from seedwise_fairseq.build import Dictionary  # through the shim
from support.small_texts import RECORDS, encode_like_the_study
from support.tiny.chain import ARCHITECTURE, SPLITS, score_records, sentence_task, write_chain

LONGEST = ARCHITECTURE["max_positions"] - 2


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    return write_chain(tmp_path_factory.mktemp("chain"))


@pytest.fixture(scope="module")
def stock(chain, tmp_path_factory):
    """What the stock commands make of the same texts: an encode loop, then fairseq-preprocess."""
    folder = tmp_path_factory.mktemp("stock")
    for split in SPLITS:
        # fairseq takes U+0085, which SentencePiece leaves in, for white space; here it is unknown.
        texts = [
            r["text"].replace("\u0085", "\u0904") for r in read_jsonl(chain.data / f"{split}.jsonl")
        ]
        encode_like_the_study(
            texts, chain.tokens / "sentencepiece.bpe.model", folder / f"{split}.pieces", LONGEST
        )
        labels = [r["label"] == "positive" for r in read_jsonl(chain.data / f"{split}.jsonl")]
        (folder / f"{split}.label").write_text("".join(f"{label:d}\n" for label in labels))
    for part, suffix in (("input0", "pieces"), ("label", "label")):
        options = {f"{split}pref": folder / f"{split}.{suffix}" for split in SPLITS}
        options["srcdict"] = chain.binarized / part / "dict.txt"
        options |= {"only-source": True, "destdir": folder / part, "workers": 1}
        launch.run("preprocess", options=options)
    return folder


@pytest.mark.parametrize("part", ["input0", "label"])
def test_files_are_those_of_fairseq_preprocess_byte_for_byte(chain, stock, part):
    names = sorted(path.name for path in (chain.binarized / part).iterdir())
    assert names == sorted(["dict.txt"] + [f"{s}.{e}" for s in SPLITS for e in ("bin", "idx")])
    for name in names:
        assert (chain.binarized / part / name).read_bytes() == (stock / part / name).read_bytes()


def test_labels_keep_their_numbers_where_the_second_is_the_majority(tmp_path):
    train = [record | {"label": "positive"} for record in RECORDS[:30]] + RECORDS[30:40]
    assert sum(record["label"] == "positive" for record in train) > 30
    records = {"train": train, "valid": RECORDS[40:60], "test": RECORDS[60:80]}
    chain = write_chain(tmp_path, records)
    dictionary = Dictionary.load(str(chain.binarized / "label" / "dict.txt"))
    assert dictionary.symbols[dictionary.nspecial :] == ["0", "1"]
    for split in SPLITS:
        numbers = [
            int(text[0]) - dictionary.nspecial
            for text in read_texts(chain.binarized / "label" / split)
        ]
        assert numbers == [int(record["label"] == "positive") for record in records[split]]


def test_label_dictionary_has_a_line_per_class():
    assert binarize_dataset.label_dictionary(3) == "0 1\n1 1\n2 1\n"


def test_a_lost_text_is_noticed(tmp_path):
    chain = write_chain(tmp_path / "chain")
    split = tmp_path / "valid.jsonl"
    write_jsonl(split, list(read_jsonl(chain.data / "valid.jsonl"))[1:])
    with pytest.raises(RuntimeError, match="19 labels, but 20 encoded texts"):
        binarize_dataset.main(
            splits=[split],
            dictionary=chain.tokens / "dict.txt",
            audit=chain.data / "audit.json",
            output=chain.binarized,
        )


def test_labels_follow_the_symbols():
    tokens, sizes = binarize_dataset.label_batch([1, 0, 12])
    assert tokens.tolist() == [5, 2, 4, 2, 16, 2] and sizes.tolist() == [2, 2, 2]


def test_scores_stand_as_fairseq_reads_them(tmp_path):
    """A number a line, in the units in which models learn them, and no labels."""
    records = score_records()
    known = {"range": [0, 10], "mean_score": {"score": 5.0, "test_mae": 3.0}}
    chain = write_chain(tmp_path, records, ["score"], **known)
    names = {path.name for path in (chain.binarized / "label").iterdir()}
    assert names == {f"{split}.label" for split in SPLITS}
    for split in SPLITS:
        lines = (chain.binarized / "label" / f"{split}.label").read_text().splitlines()
        assert list(map(float, lines)) == [(r["label"] - 5.0) / 10 for r in records[split]]
        dataset = sentence_task(chain, num_classes=1, regression_target=True).load_dataset(split)
        found = sorted(float(dataset[n]["target"][0]) for n in range(len(dataset)))
        assert found == pytest.approx(sorted(map(float, lines)))
