import binarize_corpus


def test_a_shard_gets_the_validation_texts_and_the_dictionary(tmp_path):
    files = [tmp_path / name for name in ("valid.bin", "valid.idx", "dict.txt")]
    for file in files:
        file.write_text(file.name)
    binarize_corpus.main(valid=files[:2], dictionary=files[2], shard=tmp_path / "1-of-2")
    found = {path.name: path.read_text() for path in (tmp_path / "1-of-2").iterdir()}
    assert found == {file.name: file.name for file in files}
