from __future__ import annotations

import io
import random
import stat
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.files.archives.contents import Archive, ArchiveLimits
from grader.files.archives.entry_names import is_junk, name_problem, tidy_name
from grader.files.archives.extraction import read_archive
from grader.models.errors import IntakeError, OutputError
from tests.support.builders import unflagged_zip, write_tar, write_zip, zip_bytes

SMALL = ArchiveLimits(entries=20, entry_bytes=50_000, total_bytes=120_000, ratio=10, free_bytes=2_000)


def contents(archive: Archive) -> dict[str, bytes]:
    return {entry.name: entry.path.read_bytes() for entry in archive.entries}


def reasons(archive: Archive) -> dict[str, str]:
    return {refused.name: str(refused.reason) for refused in archive.refused}


@pytest.mark.parametrize("form", ["", "gz", "bz2", "xz"])
def test_tars_of_every_compression_are_unpacked(tmp_path: Path, form: str) -> None:
    path = write_tar(tmp_path / "class", {"林/hw.ipynb": b"one", "b" * 150: b"2" * 70_000}, form=form)
    archive = read_archive(path, tmp_path / "out")
    assert contents(archive) == {"林/hw.ipynb": b"one", "b" * 150: b"2" * 70_000}
    assert archive.entries[0].modified is not None


def test_a_zip_is_unpacked_under_generated_names(tmp_path: Path) -> None:
    files = {"a/HW.ipynb": b"1", "a/hw.ipynb": b"2", "CON": b"3", "x" * 400: b"4", "nul.": b"5", "Jose\u0301": b"6"}
    archive = read_archive(write_zip(tmp_path / "c.zip", files), tmp_path / "out")
    files["José"] = files.pop("Jose\u0301")
    assert contents(archive) == files
    assert all(path.name.isdigit() for path in (tmp_path / "out").iterdir())
    assert str(archive.entries[0].modified) == "2026-03-05 23:59:58"


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/../../evil",
        "/etc/passwd",
        "C:/evil",
        "C:\\evil",
        "..\\evil",
        "\\\\server\\share\\evil",
        "a/..",
        "//x",
    ],
)
def test_names_that_point_outside_are_refused_and_nothing_is_written_there(tmp_path: Path, name: str) -> None:
    path = write_zip(tmp_path / "in" / "c.zip", {name: b"evil", "good": b"good"})
    archive = read_archive(path, tmp_path / "deep" / "out")
    assert contents(archive) == {"good": b"good"}
    assert archive.refused[0].harmful
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} == {"c.zip", "00002"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, "/etc/passwd"
    archive = read_archive(write_tar(tmp_path / "c.tgz", {"good": b"good"}, link), tmp_path / "out")
    assert (contents(archive), list(reasons(archive))) == ({"good": b"good"}, ["link"])


def test_links_in_a_zip_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as made:
        link = zipfile.ZipInfo("link")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        made.writestr(link, "/etc/passwd")
        made.writestr("good", "good")
    archive = read_archive(tmp_path / "c.zip", tmp_path / "out")
    assert (contents(archive), list(reasons(archive))) == ({"good": b"good"}, ["link"])


def test_a_bomb_is_refused_and_other_members_are_unpacked(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(60_000)
    path = write_zip(tmp_path / "c.zip", {"bomb": bytes(40_000), "large": noise, "good": b"good"})
    archive = read_archive(path, tmp_path / "out", SMALL)
    assert contents(archive) == {"good": b"good"}
    assert "zip bomb" in reasons(archive)["bomb"] and "larger than" in reasons(archive)["large"]
    assert len(list((tmp_path / "out").iterdir())) == 1


def test_a_bomb_with_a_false_size_in_its_header_is_refused(tmp_path: Path) -> None:
    made = bytearray(zip_bytes({"bomb": bytes(40_000)}))
    for size_at in (22, made.index(b"PK\1\2") + 24):
        struct.pack_into("<L", made, size_at, 10)
    (tmp_path / "c.zip").write_bytes(made)
    archive = read_archive(tmp_path / "c.zip", tmp_path / "out", SMALL)
    assert (archive.entries, list(reasons(archive))) == ((), ["bomb"])


@pytest.mark.parametrize("form", ["gz", "bz2", "xz"])
def test_a_compressed_tar_is_read_no_further_than_its_limit(tmp_path: Path, form: str) -> None:
    path = write_tar(tmp_path / "c.tar", {"/refused": bytes(5_000_000), "after": b"x"}, form=form)
    with pytest.raises(IntakeError, match="unpacks to more than"):
        read_archive(path, tmp_path / "out", SMALL)


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({str(n): b"" for n in range(21)}, "more than 20 files"),
        ({str(n): bytes(n) + b"ab" * 999 * n for n in range(20)}, "MB"),
    ],
    ids=["entries", "total"],
)
def test_an_archive_that_is_too_large_as_a_whole_is_an_intake_error(
    tmp_path: Path, files: dict[str, bytes], expected: str
) -> None:
    limits = ArchiveLimits(entries=20, entry_bytes=50_000, total_bytes=120_000, ratio=1000)
    with pytest.raises(IntakeError, match=expected):
        read_archive(write_zip(tmp_path / "c.zip", files), tmp_path / "out", limits)


def test_a_table_of_contents_that_is_too_large_is_refused_before_reading(tmp_path: Path) -> None:
    path = write_zip(tmp_path / "c.zip", {f"{n:01000d}": b"" for n in range(30)})
    with pytest.raises(IntakeError, match="more than 20 files"):
        read_archive(path, tmp_path / "out", SMALL)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_damaged_member_does_not_affect_the_others(tmp_path: Path) -> None:
    made = bytearray(zip_bytes({"bad": b"some text that is packed" * 9, "good": b"good"}))
    made[40] ^= 0xFF
    (tmp_path / "c.zip").write_bytes(made)
    archive = read_archive(tmp_path / "c.zip", tmp_path / "out")
    assert contents(archive) == {"good": b"good"}
    assert not archive.refused[0].harmful and "damaged" in reasons(archive)["bad"]


@pytest.mark.parametrize(
    ("flag", "method"), [(1, 8), (0, 12), (0, 14), (0, 99)], ids=["encrypted", "bzip2", "lzma", "odd"]
)
def test_members_with_encryption_or_other_compression_are_refused(tmp_path: Path, flag: int, method: int) -> None:
    made = bytearray(zip_bytes({"secret": b"x" * 50, "good": b"good"}))
    central = made.index(b"PK\1\2")
    made[6] |= flag
    made[central + 8] |= flag
    made[8], made[central + 10] = method, method
    (tmp_path / "c.zip").write_bytes(made)
    archive = read_archive(tmp_path / "c.zip", tmp_path / "out")
    assert (contents(archive), list(reasons(archive))) == ({"good": b"good"}, ["secret"])


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_the_later_of_two_members_with_the_same_name_is_used(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as made:
        for name, text in (("José", "old"), ("Jose\u0301", "newer"), ("José", "new")):
            made.writestr(name, text)
    archive = read_archive(tmp_path / "c.zip", tmp_path / "out")
    assert contents(archive) == {"José": b"new"}
    assert [refused.harmful for refused in archive.refused] == [False, False]


@pytest.mark.parametrize("encoding", ["utf-8", "big5", "cp950"])
def test_undeclared_names_from_taiwan_are_decoded(tmp_path: Path, encoding: str) -> None:
    # The second byte of 許, 功 and 蓋 is a backslash in Big5.
    names = ["許功蓋_作業.ipynb", "林小明/hw.ipynb"]
    (tmp_path / "c.zip").write_bytes(unflagged_zip({name.encode(encoding): name.encode() for name in names}))
    archive = read_archive(tmp_path / "c.zip", tmp_path / "out")
    assert contents(archive) == {name: name.encode() for name in names}


def test_names_in_an_unknown_encoding_are_decoded_as_code_page_437(tmp_path: Path) -> None:
    (tmp_path / "c.zip").write_bytes(unflagged_zip({b"caf\x82 noir": b"x"}))
    assert list(contents(read_archive(tmp_path / "c.zip", tmp_path / "out"))) == ["café noir"]


def test_files_of_operating_systems_are_skipped(tmp_path: Path) -> None:
    junk = ["__MACOSX/._hw.ipynb", "lin/.DS_Store", "Thumbs.db", "lin/.ipynb_checkpoints/hw-checkpoint.ipynb", "empty/"]
    archive = read_archive(write_zip(tmp_path / "c.zip", dict.fromkeys([*junk, "lin/hw.ipynb"], b"")), tmp_path / "out")
    assert set(archive.skipped) == set(junk)
    assert list(contents(archive)) == ["lin/hw.ipynb"]


@pytest.mark.parametrize("name", ["hw_DS_Store.ipynb", "Thumbs.db.ipynb", "__MACOSX.ipynb", ".hidden", "a._b"])
def test_files_with_similar_names_are_not_junk(name: str) -> None:
    assert not is_junk(name)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"7z\xbc\xaf\x27\x1c\x00", "a 7z archive"),
        (b"%PDF-1.7", "a PDF document"),
        (b"", "an empty file"),
        (b"<!DOCTYPE html><html>", "a web page"),
        (zip_bytes({"a": b"text" * 99})[:-30], "cut off"),
        (b"\x1f\x8b\x08\x00broken", "cut off"),
        (b"BZhbroken", "cut off"),
        (b"\xfd7zXZ\x00broken", "cut off"),
        (b"PK\x03\x04", "cut off"),
    ],
    ids=["rar", "7z", "pdf", "empty", "html", "zip", "gz", "bz2", "xz", "magic"],
)
def test_the_error_for_other_files_names_their_type(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "class.zip"
    path.write_bytes(data)
    with pytest.raises(IntakeError, match=f"class.zip is .*{expected}") as raised:
        read_archive(path, tmp_path / "out")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("form", ["", "gz", "xz"])
def test_a_truncated_tar_is_an_error(tmp_path: Path, form: str) -> None:
    path = write_tar(tmp_path / "c.tar", {"a": b"a" * 600, "b": bytes(range(256)) * 40}, form=form)
    path.write_bytes(path.read_bytes()[: 2000 if form == "" else -60])
    with pytest.raises(IntakeError, match="damaged or cut off"):
        read_archive(path, tmp_path / "out")


def test_a_damaged_tar_header_is_an_error(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "c.tar", {"a": b"a" * 512, "b": b"b"}, form="")
    made = bytearray(path.read_bytes())
    made[1024 + 3] ^= 0xFF
    path.write_bytes(made)
    with pytest.raises(IntakeError, match="damaged header"):
        read_archive(path, tmp_path / "out")


def test_empty_archives_have_no_entries(tmp_path: Path) -> None:
    assert read_archive(write_zip(tmp_path / "c.zip", {}), tmp_path / "z") == Archive(())
    assert read_archive(write_tar(tmp_path / "c.tgz", {}), tmp_path / "t") == Archive(())


def test_an_output_folder_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be unpacked"):
        read_archive(write_zip(tmp_path / "c.zip", {"a": b""}), tmp_path / "file" / "out")


@given(st.text(max_size=30))
def test_tidy_names_are_stable_and_inside_the_archive_unless_refused(name: str) -> None:
    tidy = tidy_name(name)
    assert tidy_name(tidy) == tidy
    assert "\\" not in tidy and "\0" not in tidy
    tidy.encode("utf-8")
    if name_problem(tidy) is None:
        assert (Path("/inside") / tidy).resolve().is_relative_to("/inside/")


@settings(max_examples=2 * settings().max_examples, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_random_damage_is_at_most_an_intake_error(tmp_path: Path, data: st.DataObject) -> None:
    made = bytearray(
        data.draw(
            st.sampled_from(
                [zip_bytes({"a/b": b"text" * 50, "c": b""}), _tar_bytes("gz"), _tar_bytes(""), _tar_bytes("xz")]
            )
        )
    )
    for place in data.draw(st.lists(st.integers(0, len(made) - 1), min_size=1, max_size=4)):
        made[place] = data.draw(st.integers(0, 255))
    number = len(list(tmp_path.iterdir()))
    path = tmp_path / f"{number}.zip"
    path.write_bytes(made[: data.draw(st.integers(1, len(made)))] if data.draw(st.booleans()) else made)
    try:
        archive = read_archive(path, tmp_path / f"{number}-out", SMALL)
    except IntakeError as error:
        assert str(error)
    else:
        assert all(entry.path.stat().st_size == entry.size for entry in archive.entries)


def _tar_bytes(form: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=f"w:{form}") as archive:  # type: ignore[call-overload]
        member = tarfile.TarInfo("a/b")
        member.size = 700
        archive.addfile(member, io.BytesIO(b"t" * 700))
    return buffer.getvalue()
