from seedwise.results.fingerprints import fingerprints


def test_results_are_found_by_name(tmp_path):
    (tmp_path / "history.csv").write_text("epoch\n")
    (tmp_path / "metrics.json").write_text("{}")
    assert list(fingerprints(tmp_path)) == ["history.csv"]


def test_an_exported_folder_is_no_result_of_a_fairseq_run(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"weights")
    assert list(fingerprints(tmp_path)) == ["model/model.safetensors"]
    (tmp_path / "model.pt").write_bytes(b"weights")
    assert list(fingerprints(tmp_path)) == ["model.pt"]
