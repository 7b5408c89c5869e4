import json

import build_corpus
from seedwise.files import write_jsonl


def write(folder, name, texts):
    path = folder / f"{name}.jsonl"
    write_jsonl(path, [{"id": str(n), "text": text} for n, text in enumerate(texts)])
    return path


def build(folder, train, unlabelled, held_out, valid_texts=0, seed=0, shards=1):
    names = [f"train-{number}.txt" for number in range(shards)]
    build_corpus.main(
        train=[write(folder, "train", train)],
        unlabelled=[write(folder, "unlabelled", unlabelled)],
        held_out=[write(folder, "test", held_out)],
        output_train=[folder / name for name in names],
        output_valid=folder / "valid.txt",
        valid_texts=valid_texts,
        seed=seed,
    )
    parts = [(folder / name).read_text(encoding="utf-8") for name in (*names, "valid.txt")]
    return [part.split("\n")[:-1] for part in parts]


def test_held_out_texts_are_kept_away_however_they_are_written(tmp_path):
    train, _ = build(
        tmp_path,
        train=["A good film.", "one"],
        unlabelled=["  a GOOD\u00a0film. ", "two", "Seen  at\nCannes"],
        held_out=["a good film.", "seen at cannes"],
    )
    assert train == ["one", "two"]


def test_each_text_is_one_line_and_stands_there_once(tmp_path):
    train, _ = build(
        tmp_path, ["a\nb", "c\u2028d", "C  D"], ["a b", "", " \t", "e\u0085f"], held_out=[]
    )
    assert train == ["a b", "c d", "e f"]


def test_some_texts_are_held_out_by_the_seed(tmp_path):
    texts = [f"text {n}" for n in range(200)]
    first, second, other = (
        build(tmp_path, texts[:150], texts[150:], [], valid_texts=10, seed=seed)
        for seed in (0, 0, 1)
    )
    train, valid = first
    assert len(valid) == 10 and sorted(train + valid) == sorted(texts)
    assert train == [text for text in texts if text not in valid]
    assert first == second and first[1] != other[1]


def test_of_few_texts_one_in_ten_is_held_out(tmp_path):
    train, valid = build(tmp_path, [str(n) for n in range(40)], [], [], valid_texts=500)
    assert (len(train), len(valid)) == (36, 4)


def test_records_keep_line_separators_that_are_none(tmp_path):
    path = write(tmp_path, "train", ["a\u2028b"])
    assert json.loads(path.read_bytes().decode())["text"] == "a\u2028b"


def test_shards_hold_texts_of_every_source_in_their_order(tmp_path):
    texts = [f"text {n}" for n in range(99)]
    (whole, valid) = build(tmp_path, texts, [], [], valid_texts=9, seed=1)
    *shards, same = build(tmp_path, texts, [], [], valid_texts=9, seed=1, shards=3)
    assert same == valid and len(valid) == 9
    assert sorted(text for shard in shards for text in shard) == sorted(whole)
    assert all(shard == [text for text in whole if text in shard] for shard in shards)
    assert all(25 <= len(shard) <= 33 for shard in shards)
    for shard in shards:  # a third of each third
        assert 7 <= sum(text in texts[:33] for text in shard) <= 13


def test_no_texts_make_empty_shards(tmp_path):
    assert build(tmp_path, ["a"], [], ["A"], shards=2) == [[], [], []]
