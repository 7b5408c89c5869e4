import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedwise.data.examples import Example
from seedwise.data.texts import TextFile, comparable, key_of
from seedwise.log import machine_fault

TEXTS = st.lists(st.text(alphabet=st.characters(exclude_categories=["Cs"])), max_size=8)


@given(TEXTS, st.integers(0, 9))
def test_texts_come_back_as_they_were_in_any_order(texts, long):
    file = TextFile()
    texts = [*texts, "é" * 1000 * long, ""]
    places = [file.append(text) for text in texts]
    for place, text in reversed(list(zip(places, texts, strict=True))):
        assert file.read(place) == text
    places.append(file.append("another, after reading"))
    assert file.read(places[-1]) == "another, after reading"
    assert file.read(places[0]) == texts[0]


def test_an_example_is_the_same_wherever_its_text_stands():
    for file in (None, TextFile()):
        example = Example("1", " two\n words", "a", file)
        assert (example.id, example.text, example.label) == ("1", " two\n words", "a")
        assert example.key == key_of("two words") != key_of("two")


@given(st.text(), st.text())
def test_keys_are_the_same_where_texts_count_as_the_same(one, other):
    assert (key_of(one) == key_of(other)) == (comparable(one) == comparable(other))
    assert (key_of(one) == b"") == (comparable(one) == "")


def test_a_full_temporary_folder_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    file = TextFile()
    file._file = open("/dev/full", "w+b")  # noqa: SIM115, PTH123
    with pytest.raises(OSError, match="No space left") as found:
        for _ in range(2):
            file.append("x" * 1_000_000)
    said = machine_fault(found.value)
    assert (
        said.startswith(f"{tmp_path} (TMPDIR names another): No space left") and "make room" in said
    )
    monkeypatch.setattr(file, "_file", None)
