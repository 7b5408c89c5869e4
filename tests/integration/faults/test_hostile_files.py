"""Archives and models made to do harm: refused with one message, before anything is written."""

import json
import os
import pickle
import shutil
import stat
import struct
import tarfile
import zipfile

import pytest
import torch

import import_checkpoint
import import_transformers
import prepare_dataset
from seedwise.files import sha256_of_files
from seedwise.models.published import Published
from support import processes
from support.published_models import Canary
from support.tiny.chain import ARCHITECTURE

ROWS = b"text,label\n" + b"".join(b"text %d,%d\n" % (n, n % 2) for n in range(20))
PARTS = ("train", "valid", "test", "unlabelled", "audit")


def write_sound(path):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("data.csv"), ROWS)  # the same bytes at any time


def add(path, name, content=b"evil", mode=0):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.compress_type = zipfile.ZIP_DEFLATED
        if mode:
            info.external_attr = mode << 16
        archive.writestr(info, content)


def climb(path):
    add(path, "../evil")


def stand_elsewhere(path):
    add(path, str(path.with_name("evil")))


def link(path):
    add(path, "evil", os.fsencode(path.with_name("secret")), stat.S_IFLNK | 0o777)


def link_in_a_tar(path):
    content = path.with_name("data.csv")
    content.write_bytes(ROWS)
    link = tarfile.TarInfo("evil")
    link.type, link.linkname = tarfile.SYMTYPE, "../secret"
    with tarfile.open(path, "w:gz") as archive:
        archive.add(content, "data.csv")
        archive.addfile(link)


def explode(path):
    add(path, "bomb", bytes(260 << 20))


def stand_twice(path):
    with pytest.warns(UserWarning, match="Duplicate name"):
        add(path, "data.csv", b"text,label\nother,1\n")


def break_off(path):
    path.write_bytes(path.read_bytes()[:-30])


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (climb, "refused, member '../evil' points outside the archive"),
        (stand_elsewhere, "evil' has an absolute or malformed path"),
        (link, "refused, member 'evil' is a link or a special file"),
        (link_in_a_tar, "refused, member 'evil' is a link or a special file"),
        (explode, "refused, unpacks to more than 0.25 GiB"),
        (stand_twice, "refused, member 'data.csv' stands there twice"),
        (break_off, "damaged or cut short"),
    ],
)
def test_an_archive(tmp_path, harm, said):
    path = tmp_path / "data.zip"
    settings = {"source": {"path": str(path)}, "format": "table", "labels": ["0", "1"]}
    settings["files"] = dict.fromkeys(PARTS[:3], "data.csv")

    def prepare(folder):
        outputs = {part: tmp_path / folder / part for part in PARTS}
        return processes.run(
            lambda: prepare_dataset.main(name="d", settings=settings, outputs=outputs),
            tmp_path / "log",
        )

    write_sound(path)
    assert prepare("undisturbed")[0] == 0
    harm(path)
    code, log = prepare("results")
    assert code == 1
    (error,) = processes.errors(log)
    assert error.startswith(f"{path}: ") and said in error
    assert not (tmp_path / "results").exists()
    assert not list(tmp_path.rglob("evil"))
    write_sound(path)
    assert prepare("results")[0] == 0
    for part in PARTS:
        made = (tmp_path / "results" / part).read_bytes()
        assert made == (tmp_path / "undisturbed" / part).read_bytes()


@pytest.fixture
def fairseq(chain, tmp_path):
    """A folder as people publish it for fairseq."""
    folder = tmp_path / "published"
    folder.mkdir()
    for file in (chain.pretrained, *map(chain.tokens.joinpath, import_checkpoint_files())):
        shutil.copy(file, folder)
    return folder


def import_checkpoint_files():
    return (import_checkpoint.DICTIONARY, import_checkpoint.SENTENCEPIECE)


@pytest.fixture
def transformers_folder(undisturbed, tmp_path):
    """A folder as people publish it for transformers."""
    return shutil.copytree(undisturbed["transformers"] / "model", tmp_path / "published")


def take_over(folder, target):
    """Import a published folder as its rule does; return exit code, log and where weights are."""
    published = Published(folder, "tiny", {"source": {"path": str(folder)}}, ARCHITECTURE)
    if (folder / "model.pt").exists():
        weights = target / "model.pt"
        dictionary, sentencepiece = import_checkpoint_files()
        outputs = {
            "dictionary": target / dictionary,
            "tokenizer": [target / sentencepiece],
        }

        def main():
            import_checkpoint.main(published=published, model=weights, **outputs)
    else:
        weights = target / "model.safetensors"

        def main():
            import_transformers.main(
                published=published,
                fairseq_experiments=[],
                folder=target,
                architecture=target / "architecture.json",
                counts=target / "counts.json",
            )

    return *processes.run(main, target.parent / "log"), weights


def refused(folder, tmp_path, spoil, said):
    """Import a sound folder, the spoilt one, and the sound one again."""
    code, log, undisturbed = take_over(folder, tmp_path / "undisturbed")
    assert code == 0, log
    sound = shutil.copytree(folder, tmp_path / "sound")
    canary = tmp_path / "canary"
    spoil(folder, canary)
    code, log, made = take_over(folder, tmp_path / "imported")
    assert code == 1
    (error,) = processes.errors(log)
    assert error.startswith(f"{folder}") and said in error
    assert not canary.exists()
    assert not (tmp_path / "imported").exists() or not list((tmp_path / "imported").iterdir())
    shutil.rmtree(folder)
    sound.rename(folder)
    assert take_over(folder, tmp_path / "imported")[0] == 0
    assert sha256_of_files([made]) == sha256_of_files([undisturbed])


def carry_a_command(folder, canary):
    torch.save({"model": {}, "extra": Canary(canary)}, folder / "model.pt")


def be_a_bare_pickle(folder, canary):
    (folder / "model.pt").write_bytes(pickle.dumps(Canary(canary), protocol=2))


def be_torn(folder, canary):
    path = folder / "model.pt"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (carry_a_command, "model.pt: refused, because it carries code beside tensors: posix.mkdir"),
        (be_a_bare_pickle, "model.pt: not a checkpoint that torch can read"),
        (be_torn, "model.pt: not a checkpoint that torch can read"),
    ],
)
def test_a_fairseq_checkpoint(fairseq, tmp_path, spoil, said):
    refused(fairseq, tmp_path, spoil, said)


def write_header(folder, change):
    """Rewrite the header of `model.safetensors`: 8 bytes with its length, then JSON."""
    path = folder / "model.safetensors"
    body = path.read_bytes()
    (length,) = struct.unpack("<Q", body[:8])
    header, length = change(json.loads(body[8 : 8 + length])), length
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + body[8 + length :])


def weight_of(header):
    return next(value for name, value in header.items() if name != "__metadata__")


def lie_about_the_length(folder, canary):
    path = folder / "model.safetensors"
    path.write_bytes(struct.pack("<Q", 1 << 62) + path.read_bytes()[8:])


def point_behind_the_end(folder, canary):
    def change(header):
        begin, end = weight_of(header)["data_offsets"]
        weight_of(header)["data_offsets"] = [begin + (1 << 40), end + (1 << 40)]
        return header

    write_header(folder, change)


def lie_about_a_shape(folder, canary):
    def change(header):
        weight_of(header)["shape"] = [1 << 30, 1 << 30]
        return header

    write_header(folder, change)


def bring_a_pickle(folder, canary):
    (folder / "model.safetensors").unlink()
    torch.save({"roberta.x": Canary(canary)}, folder / "pytorch_model.bin")


def bring_code(folder, canary):
    (folder / "modeling_evil.py").write_text(f"import os\nos.mkdir({str(canary)!r})\n")
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "evil", "auto_map": {"AutoConfig": "modeling_evil.C"}}
    (folder / "config.json").write_text(json.dumps(config))


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lie_about_the_length, ": transformers cannot load this model: "),
        (point_behind_the_end, ": transformers cannot load this model: "),
        (lie_about_a_shape, ": transformers cannot load this model: "),
        (bring_a_pickle, ": models.tiny.transformers_checkpoint allows weights in model.safet"),
        (
            bring_code,
            "config.json: `auto_map` asks for code of the model's own, which is never run",
        ),
    ],
)
def test_a_transformers_folder(transformers_folder, tmp_path, spoil, said):
    refused(transformers_folder, tmp_path, spoil, said)
