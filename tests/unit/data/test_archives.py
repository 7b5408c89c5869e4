import gzip
import io
import random
import stat
import tarfile
import zipfile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedwise.data import archives
from seedwise.data.archives import extract_folder, list_members, read_member
from seedwise.errors import UserError

FILES = {"top/a.txt": b"alpha", "top/deep/b.txt": b"beta", "__MACOSX/top/._a.txt": b"junk"}


def make_zip(path, files):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def make_tar(path, files, mode="w:gz"):
    with tarfile.open(path, mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def make_folder(path, files):
    for name, content in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


MAKERS = [make_zip, make_tar, make_folder]


@pytest.mark.parametrize("make", MAKERS)
def test_members_are_read_and_macos_files_ignored(make, tmp_path):
    archive = make(tmp_path / "archive", FILES)
    assert sorted(list_members(archive)) == ["top/a.txt", "top/deep/b.txt"]
    assert read_member(archive, "top/deep/b.txt") == b"beta"


def test_plain_file(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes(b"text,label\n")
    assert read_member(path) == read_member(path, "data.csv") == b"text,label\n"
    with pytest.raises(UserError, match=r"plain file, not an archive with a member 'x'"):
        read_member(path, "x")


@pytest.mark.parametrize("make", MAKERS)
def test_archive_inside_an_archive(make, tmp_path):
    inner = make_tar(tmp_path / "inner.tar.gz", {"in/ner.txt": b"deep"}).read_bytes()
    archive = make(tmp_path / "archive", {"x/inner.tar.gz": inner, "x/plain": b"plain"})
    assert read_member(archive, "x/inner.tar.gz!in/ner.txt") == b"deep"
    assert list_members(archive, "x/inner.tar.gz") == ["in/ner.txt"]
    extract_folder(archive, "x/inner.tar.gz!in", tmp_path / "out")
    assert (tmp_path / "out/ner.txt").read_bytes() == b"deep"
    with pytest.raises(UserError, match=r"archive!x/plain: not a zip or tar archive"):
        read_member(archive, "x/plain!in/ner.txt")


@pytest.mark.parametrize("make", MAKERS)
def test_missing_member_names_those_there_are(make, tmp_path):
    archive = make(tmp_path / "archive", FILES)
    with pytest.raises(UserError, match=r"no member 'top/c.txt'; it holds top/a.txt"):
        read_member(archive, "top/c.txt")
    with pytest.raises(UserError, match=r"no member ''; it holds top/a.txt"):
        read_member(archive)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("folder", ["top", "top/"])
def test_extract_folder(make, folder, tmp_path):
    archive = make(tmp_path / "archive", FILES | {"topmost/c.txt": b"other"})
    extract_folder(archive, folder, tmp_path / "out")
    out = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*.txt")}
    assert {name: path.read_bytes() for name, path in out.items()} == {
        "a.txt": b"alpha",
        "deep/b.txt": b"beta",
    }
    with pytest.raises(UserError, match=r"no folder 'nowhere'; its folders are top, topmost"):
        extract_folder(archive, "nowhere", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_missing_file(tmp_path):
    with pytest.raises(UserError, match="does not exist"):
        read_member(tmp_path / "nothing.zip", "a")


@pytest.mark.parametrize("make", [make_zip, make_tar])
@pytest.mark.parametrize(
    "name", ["../evil", "a/../../evil", "/etc/evil", "C:/evil", "a\\..\\evil", "..\\evil"]
)
def test_names_that_leave_the_folder_are_refused(make, name, tmp_path):
    archive = make(tmp_path / "archive", {"good": b"good", name: b"evil"})
    for action in (
        lambda: read_member(archive, "good"),
        lambda: extract_folder(archive, "", tmp_path / "out" / "deep"),
    ):
        with pytest.raises(UserError, match="refused, member"):
            action()
    assert not list(tmp_path.rglob("*evil*")) and not (tmp_path / "out/deep").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_special_files_in_a_tar_are_refused(kind, tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        info = tarfile.TarInfo("link")
        info.type, info.linkname = kind, "/etc/passwd"
        archive.addfile(info)
    with pytest.raises(UserError, match="'link' is a link or a special file"):
        extract_folder(tmp_path / "a.tar", "", tmp_path / "out")


def test_links_in_a_zip_are_refused(tmp_path):
    info = zipfile.ZipInfo("link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(UserError, match="'link' is a link or a special file"):
        read_member(tmp_path / "a.zip", "link")


def test_a_name_that_stands_twice_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a", "one")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("a", "two")
    with pytest.raises(UserError, match="'a' stands there twice"):
        read_member(tmp_path / "a.zip", "a")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_bombs_are_refused(make, tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 1 << 20)
    bomb = make(tmp_path / "bomb", {"zeros": bytes(8 << 20)})
    assert bomb.stat().st_size < 20_000
    with pytest.raises(UserError, match="refused, unpacks to more than"):
        extract_folder(bomb, "", tmp_path / "out")
    monkeypatch.setattr(archives, "MAX_MEMBERS", 3)
    many = make(tmp_path / "many", {f"{i}": b"" for i in range(4)})
    with pytest.raises(UserError, match="more than 3 members"):
        list_members(many)


def test_a_bomb_inside_an_archive_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE_BYTES", 1 << 20)
    inner = make_zip(tmp_path / "inner.zip", {"zeros": bytes(8 << 20)}).read_bytes()
    outer = make_tar(tmp_path / "outer.tar.gz", {"inner.zip": inner})
    with pytest.raises(UserError, match=r"inner.zip: refused, unpacks to more than"):
        read_member(outer, "inner.zip!zeros")


@pytest.mark.parametrize("make", [make_zip, make_tar])
def test_damaged_archives(make, tmp_path):
    noise = random.Random(0).randbytes(100_000)
    whole = make(tmp_path / "whole", {"noise": noise, "more": noise[::-1]}).read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match="cut: damaged or cut short"):
        read_member(cut, "noise")
    flipped = tmp_path / "flipped"
    flipped.write_bytes(whole[:5_000] + bytes([whole[5_000] ^ 255]) + whole[5_001:])
    with pytest.raises(UserError, match=r"flipped: (damaged or cut short|cannot be read)"):
        read_member(flipped, "noise")


TEXTS = {f"top/{number}.txt": b"some text " * 50 for number in range(3)}


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_happens_to_an_archive_is_one_message(tmp_path, data):
    make = data.draw(st.sampled_from([make_zip, make_tar]))
    content = bytearray(make(tmp_path / "a", TEXTS).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (tmp_path / "a").write_bytes(content[: data.draw(st.integers(1, 2 * len(content)))])
    try:
        for name in list_members(tmp_path / "a"):
            content_now = read_member(tmp_path / "a", name)
            # Without its first bytes an archive is a plain file.
            assert content_now in (*TEXTS.values(), b"") or name == "a"
    except UserError as error:
        assert str(error).startswith(f"{tmp_path}/a: ")


def test_gzip_that_is_no_tar(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"text\n" * 1000))
    with pytest.raises(UserError, match="damaged or cut short"):
        read_member(tmp_path / "a.gz", "a")


def test_an_encrypted_zip_is_refused(tmp_path):
    path = make_zip(tmp_path / "a.zip", {"a": b"secret"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match="'a' is encrypted"):
        read_member(path, "a")
