import pytest

from seedwise.data.columns import split_of


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("data/train-00000-of-00001.parquet", "train"),
        ("imdb_test.csv", "test"),
        ("dev.jsonl", "valid"),
        ("latest.csv", None),
        ("contest.csv", None),
    ],
)
def test_split_by_a_word_of_the_name(name, split):
    assert split_of(name) == split
