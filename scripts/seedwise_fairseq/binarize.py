"""fairseq-preprocess with a given dictionary."""

import tempfile
from pathlib import Path

from seedwise_fairseq import launch


def binarize(splits: dict[str, Path], dictionary: Path, output: Path) -> None:
    """Write ``{split}.bin``, ``{split}.idx`` and ``dict.txt`` into the folder ``output``.

    Args:
        splits: the files of tokens, by split (`train`, `valid`, `test`).
        dictionary: a fairseq dictionary, kept in its order.
        output: the folder; its files appear together, when all are written.
    """
    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output.parent) as folder:
        launch.run(
            "preprocess",
            options={
                "only-source": True,
                "srcdict": dictionary,
                "destdir": folder,
                "workers": 1,
                **{f"{split}pref": path for split, path in splits.items()},
            },
        )
        for path in Path(folder).iterdir():
            if path.suffix != ".log":
                path.replace(output / path.name)
