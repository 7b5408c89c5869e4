import torch

from seedwise.fingerprints import fingerprint, fingerprints


def write(path, weight, folder):
    path.parent.mkdir(exist_ok=True)
    torch.save({"model": {"a": torch.tensor(weight)}, "cfg": {"save_dir": folder}}, path)
    return fingerprint(path)


def test_a_checkpoint_is_its_weights_wherever_it_was_made(tmp_path):
    first = write(tmp_path / "a" / "model.pt", [1.0], "here")
    assert write(tmp_path / "b" / "model.pt", [1.0], "there") == first
    assert write(tmp_path / "b" / "model.pt", [1.5], "there") != first
    assert write(tmp_path / "b" / "model.pt", [[1.0]], "there") != first
    assert write(tmp_path / "b" / "model.pt", torch.tensor([1.0]).half().tolist(), "") == first


def test_results_are_found_by_name(tmp_path):
    (tmp_path / "history.csv").write_text("epoch\n")
    (tmp_path / "metrics.json").write_text("{}")
    assert list(fingerprints(tmp_path)) == ["history.csv"]


def test_an_exported_folder_is_no_result_of_a_fairseq_run(tmp_path):
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.safetensors").write_bytes(b"weights")
    assert list(fingerprints(tmp_path)) == ["model/model.safetensors"]
    write(tmp_path / "model.pt", [1.0], "here")
    assert list(fingerprints(tmp_path)) == ["model.pt"]
