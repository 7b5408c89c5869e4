import zipfile

import pytest

from prepare_base import main
from seedwise.errors import UserError


def test_the_folder_is_taken_out_of_its_archive(tmp_path):
    archive = tmp_path / "bloom.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("bloom/config.json", "{}")
        packed.writestr("__MACOSX/bloom/._config.json", "x")
    checkpoint = {"source": {"path": str(archive)}, "folder": "bloom"}
    main(source=archive, name="b", checkpoint=checkpoint, folder=tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["config.json"]
    with pytest.raises(UserError, match="no folder 'llama'"):
        main(
            source=archive,
            name="b",
            checkpoint=checkpoint | {"folder": "llama"},
            folder=tmp_path / "other",
        )
