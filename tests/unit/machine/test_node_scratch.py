import pytest

from seedwise.environment import NODE_SCRATCH
from seedwise.errors import UserError
from seedwise.machine import node_scratch


@pytest.fixture
def node(tmp_path, monkeypatch):
    folder = tmp_path / "node"
    folder.mkdir()
    monkeypatch.setenv(NODE_SCRATCH, str(folder))
    return folder


def test_without_one_files_and_folders_are_written_in_place(tmp_path, monkeypatch):
    monkeypatch.delenv(NODE_SCRATCH, raising=False)
    node_scratch.check()
    assert node_scratch.named() is None
    with node_scratch.written_nearby(tmp_path / "file") as path:
        assert path == tmp_path / "file"
    node_scratch.begin_folder(tmp_path / "folder")
    node_scratch.move_whole(tmp_path / "folder")
    assert not list(tmp_path.iterdir())


def test_a_variable_of_the_job_may_stand_in_it(tmp_path, monkeypatch):
    monkeypatch.setenv("JOB_FOLDER", str(tmp_path))
    monkeypatch.setenv(NODE_SCRATCH, "$JOB_FOLDER")
    node_scratch.check()
    assert node_scratch.named() == tmp_path


def test_a_file_appears_whole_or_not_at_all(tmp_path, node):
    shared = tmp_path / "shared"

    def write(text, error=None):
        with node_scratch.written_nearby(shared / "file") as path:
            assert path.parent.parent == node
            path.write_text(text)
            if error:
                raise error

    write("one")
    with pytest.raises(ValueError):
        write("two", ValueError())
    assert [path.read_text() for path in shared.iterdir()] == ["one"]
    assert not list(node.iterdir())


def test_a_folder_is_elsewhere_until_it_is_moved(tmp_path, node):
    shared = tmp_path / "shared"
    shared.mkdir()
    node_scratch.begin_folder(shared / "folder")
    (shared / "folder/file").write_text("one")
    assert [path.name for path in node.rglob("*") if path.is_file()] == ["file"]
    node_scratch.move_whole(shared / "folder")
    assert not (shared / "folder").is_symlink()
    assert (shared / "folder/file").read_text() == "one"
    assert not list(node.iterdir())


@pytest.mark.parametrize("folder", ["/nowhere", "$NO_SUCH_VARIABLE", "/dev/null"])
def test_a_folder_that_the_node_lacks(folder, monkeypatch):
    monkeypatch.setenv(NODE_SCRATCH, folder)
    with pytest.raises(UserError, match=r"node_scratch=.* is no folder to write to on .*; name"):
        node_scratch.check()
