from __future__ import annotations

import io
import struct
import tarfile
import time
import zipfile
import zlib
from pathlib import Path

import pytest

from grader.files.archives.contents import Archive, ArchiveLimits
from grader.files.archives.extraction import read_archive
from grader.models.errors import IntakeError
from tests.support.builders import write_tar, write_zip, zip_bytes

Members = list[tuple[bytes, bytes]]


def read(tmp_path: Path, data: bytes, limits: ArchiveLimits | None = None) -> Archive:
    (tmp_path / "c.zip").write_bytes(data)
    return read_archive(tmp_path / "c.zip", tmp_path / "out", limits)


def contents(archive: Archive) -> dict[str, bytes]:
    return {entry.name: entry.path.read_bytes() for entry in archive.entries}


def refusals(archive: Archive) -> dict[str, str]:
    return {refused.name: str(refused.reason) for refused in archive.refused}


# ---------------------------------------------------------------- zips made byte by byte


def local(name: bytes, data: bytes, *, flags: int = 0) -> bytes:
    sizes = struct.pack("<LLL", zlib.crc32(data), len(data), len(data))
    return b"PK\3\4" + struct.pack("<HHHHH", 20, flags, 0, 0, 0x5A65) + sizes + struct.pack("<HH", len(name), 0) + name


def central(
    name: bytes, data: bytes, at: int, *, flags: int = 0, extra: bytes = b"", claimed: int | None = None
) -> bytes:
    size = len(data) if claimed is None else claimed
    sizes = struct.pack("<LLL", zlib.crc32(data), size, size)
    lengths = struct.pack("<HHHHHLL", len(name), len(extra), 0, 0, 0, 0o100644 << 16, at)
    return b"PK\1\2" + struct.pack("<HHHHHH", 20, 20, flags, 0, 0, 0x5A65) + sizes + lengths + name + extra


def end(directory: bytes, at: int, entries: int, *, disk: int = 0, comment: bytes = b"") -> bytes:
    counts = struct.pack("<HHHH", disk, disk, entries & 0xFFFF, entries & 0xFFFF)
    return b"PK\5\6" + counts + struct.pack("<LLH", len(directory), at, len(comment)) + comment


def stored(files: Members, *, flags: int = 0, extras: dict[bytes, bytes] | None = None, comment: bytes = b"") -> bytes:
    """Return a zip of stored files with the given raw names."""
    body, directory = b"", b""
    for name, data in files:
        directory += central(name, data, len(body), flags=flags, extra=(extras or {}).get(name, b""))
        body += local(name, data, flags=flags) + data
    return body + directory + end(directory, len(body), len(files), comment=comment)


def unicode_path(name: str, raw: bytes) -> bytes:
    content = b"\1" + struct.pack("<L", zlib.crc32(raw)) + name.encode()
    return struct.pack("<HH", 0x7075, len(content)) + content


# ---------------------------------------------------------------- bombs


def test_members_that_share_the_same_bytes_are_a_bomb(tmp_path: Path) -> None:
    body = local(b"a", b"x" * 100) + b"x" * 100
    good = len(body)
    body += local(b"good", b"good") + b"good"
    listed = [central(b"a", b"x" * 100, 0)] * 1000 + [central(b"good", b"good", good)]
    directory = b"".join(listed)
    archive = read(tmp_path, body + directory + end(directory, len(body), len(listed)))
    assert contents(archive) == {"good": b"good"}
    assert len(archive.refused) == 1000 and all(refused.harmful for refused in archive.refused)
    assert "overlap another file: a zip bomb" in refusals(archive)["a"]


def test_a_member_that_overlaps_the_next_is_a_bomb(tmp_path: Path) -> None:
    inner = local(b"b", b"y") + b"y"
    body = local(b"a", inner) + inner  # as in bombs that quote each other's headers
    directory = central(b"a", inner, 0) + central(b"b", b"y", len(body) - len(inner))
    archive = read(tmp_path, body + directory + end(directory, len(body), 2))
    assert (contents(archive), set(refusals(archive))) == ({}, {"a", "b"})


def test_a_member_that_overlaps_the_table_of_contents_is_refused(tmp_path: Path) -> None:
    body = local(b"a", b"x") + b"x"
    directory = central(b"a", b"x", 0, claimed=500)
    archive = read(tmp_path, body + directory + end(directory, len(body), 1))
    assert set(refusals(archive)) == {"a"}


def test_adjacent_members_do_not_overlap(tmp_path: Path) -> None:
    files = {f"{n}": b"" if n % 3 else bytes(n) for n in range(40)}
    assert contents(read_archive(write_zip(tmp_path / "c.zip", files), tmp_path / "out")) == files


def test_a_failed_archive_leaves_no_files(tmp_path: Path) -> None:
    limits = ArchiveLimits(total_bytes=30_000)
    with pytest.raises(IntakeError, match=r"unpacks to more than 0 MB; 1 alone is 0 MB\. Take it out"):
        read(tmp_path, zip_bytes({str(n): bytes(9_000) for n in range(1, 9)}), limits)
    assert list((tmp_path / "out").iterdir()) == []


def test_limits_are_shared_by_several_archives(tmp_path: Path) -> None:
    limits = ArchiveLimits(entries=10, total_bytes=1000)
    archive = read(tmp_path, zip_bytes({"a": bytes(300), "b": bytes(200)}), limits)
    assert limits.after(archive) == ArchiveLimits(entries=8, total_bytes=500)


# ---------------------------------------------------------------- names


def test_the_unicode_name_field_is_used(tmp_path: Path) -> None:
    raws = {b"J_rg.ipynb": "Jörg.ipynb", b"hw.ipynb": "작업.ipynb", b"b\x8eb.ipynb": "bäb.ipynb"}
    extras = {raw: b"\x01\x00\x02\x00ab" + unicode_path(name, raw) for raw, name in raws.items()}
    archive = read(tmp_path, stored([(raw, raw) for raw in raws], extras=extras))
    assert contents(archive) == {name: raw for raw, name in raws.items()}


@pytest.mark.parametrize(
    "extra",
    [
        unicode_path("evil", b"other"),
        unicode_path("x", b"a")[:-1] + b"\xff",
        b"\x75\x70\x09\x00\2abcdefgh",
        b"\x75\x70",
    ],
    ids=["another name's", "no UTF-8", "version", "cut off"],
)
def test_an_invalid_unicode_name_field_is_ignored(tmp_path: Path, extra: bytes) -> None:
    assert list(contents(read(tmp_path, stored([(b"a", b"1")], extras={b"a": extra})))) == ["a"]


def test_the_unicode_name_is_checked_like_any_name(tmp_path: Path) -> None:
    archive = read(tmp_path, stored([(b"a", b"1")], extras={b"a": unicode_path("../../a", b"a")}))
    assert "points outside the archive" in refusals(archive)["../../a"]


def test_a_member_with_two_different_names_is_refused(tmp_path: Path) -> None:
    made = stored([(b"ann.ipynb", b"1"), (b"good", b"2")]).replace(b"PK\3\4", b"PK\3\4", 1)
    made = made.replace(b"ann.ipynb", b"bob.ipynb", 1)
    archive = read(tmp_path, made)
    assert contents(archive) == {"good": b"2"}
    assert "ann.ipynb" in refusals(archive)["ann.ipynb"] and "bob.ipynb" in refusals(archive)["ann.ipynb"]


def test_names_that_differ_only_in_invisible_characters_stay_different(tmp_path: Path) -> None:
    names = [b"ann\x01/hw", b"ann\x02/hw", b"ann\x00/hw", b"ann/hw", b"Ann/hw", b"ANN/HW", b"ann /hw", b"ann\n/hw"]
    archive = read(tmp_path, stored([(name, name) for name in names]))
    assert sorted(contents(archive).values()) == sorted(names)
    assert not any(ord(character) < 32 for entry in archive.entries for character in entry.name)


@pytest.mark.parametrize("name", ["x" * 300, "林" * 200, "a/" * 400 + "b", "👩‍🚀.ipynb"])
def test_odd_names_are_kept_as_data(tmp_path: Path, name: str) -> None:
    archive = read(tmp_path, stored([(name.encode(), b"1"), (b"good", b"2")], flags=0x800))
    assert contents(archive) == {name: b"1", "good": b"2"}


def test_characters_that_reorder_text_are_replaced_in_names(tmp_path: Path) -> None:
    archive = read(tmp_path, stored([("\u202ebpyni.exe".encode(), b"1")], flags=0x800))
    assert contents(archive) == {"\ufffdbpyni.exe": b"1"}


def test_a_declared_utf8_name_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"c\.zip is damaged or cut off"):
        read(tmp_path, stored([(b"\xff\xfe", b"1")], flags=0x800))


# ---------------------------------------------------------------- data around a zip


@pytest.mark.parametrize("before", [b"", b"MZ\x90\0 unpacks itself" * 40, b"#!/bin/sh\nexec unzip $0\n", b"PK"])
@pytest.mark.parametrize("after", [b"", b"\0" * 500, b"<html>session ended</html>"])
def test_data_before_and_after_a_zip_is_ignored(tmp_path: Path, before: bytes, after: bytes) -> None:
    assert contents(read(tmp_path, before + zip_bytes({"a": b"1", "b": b"2" * 999}) + after)) == {
        "a": b"1",
        "b": b"2" * 999,
    }


def test_the_last_table_of_contents_is_used(tmp_path: Path) -> None:
    first = zip_bytes({"first": b"1"})
    archive = read(tmp_path, first + zip_bytes({"last": b"2"}))
    assert contents(archive) == {"last": b"2"}


def test_a_comment_that_looks_like_an_end_record_is_an_error(tmp_path: Path) -> None:
    comment = b"see PK\5\6 and PK\1\2 " + b"x" * 40
    with pytest.raises(IntakeError, match=r"c\.zip is (?:damaged|one of several parts)"):
        read(tmp_path, stored([(b"a", b"1")], comment=comment))
    assert contents(read(tmp_path, stored([(b"a", b"1")], comment=b"by hand"))) == {"a": b"1"}


@pytest.mark.parametrize("disk", [1, 7])
def test_a_part_of_a_split_zip_is_reported(tmp_path: Path, disk: int) -> None:
    body, directory = local(b"a", b"1") + b"1", central(b"a", b"1", 0)
    with pytest.raises(IntakeError, match=r"c\.zip is one of several parts of a zip; expected all in one file"):
        read(tmp_path, body + directory + end(directory, len(body), 1, disk=disk))


def test_a_zip64_with_more_than_65535_members_is_read(tmp_path: Path) -> None:
    count = 65_600
    names = [b"%05d/.DS_Store" % number for number in range(count)]
    body = local(names[0], b"")
    heads = [local(name, b"") for name in names]
    directory = b"".join(central(name, b"", number * len(body)) for number, name in enumerate(names))
    body = b"".join(heads)
    zip64 = b"PK\6\6" + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, count, count, len(directory), len(body))
    locator = b"PK\6\7" + struct.pack("<LQL", 0, len(body) + len(directory), 1)
    short = b"PK\5\6" + struct.pack("<HHHHLLH", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    made = body + directory + zip64 + locator + short
    assert len(read(tmp_path, made).skipped) == count
    with pytest.raises(IntakeError, match="more than 65000 files"):
        read(tmp_path, made, ArchiveLimits(entries=65_000))


# ---------------------------------------------------------------- single members


def test_a_wrong_checksum_does_not_affect_other_members(tmp_path: Path) -> None:
    made = stored([(b"bad", b"12345"), (b"good", b"good"), (b"empty", b"")]).replace(b"12345", b"12346")
    archive = read(tmp_path, made)
    assert contents(archive) == {"good": b"good", "empty": b""}
    assert "it is damaged (Bad CRC-32 for file 'bad')" in refusals(archive)["bad"]
    assert not archive.refused[0].harmful


@pytest.mark.parametrize("stamp", [(0, 0), (0xFFFF, 0xFFFF), (0x5A65, 0xBF7E)], ids=["zero", "ones", "60 seconds"])
def test_an_invalid_time_in_a_zip_is_none(tmp_path: Path, stamp: tuple[int, int]) -> None:
    made = bytearray(stored([(b"a", b"1")]))
    struct.pack_into("<HH", made, made.index(b"PK\1\2") + 12, stamp[1], stamp[0])
    assert read(tmp_path, bytes(made)).entries[0].modified is None


@pytest.mark.parametrize(("method", "expected"), [(9, "Deflate64"), (93, "Zstandard"), (77, "77")])
def test_the_refusal_names_the_compression_method(tmp_path: Path, method: int, expected: str) -> None:
    made = bytearray(stored([(b"a", b"1"), (b"good", b"good")]))
    made[8], made[made.index(b"PK\1\2") + 10] = method, method
    archive = read(tmp_path, bytes(made))
    assert contents(archive) == {"good": b"good"}
    assert f"its compression method, {expected}, is not supported; expected ordinary zip" in refusals(archive)["a"]


# ---------------------------------------------------------------- tars


def tar(tmp_path: Path, *members: tuple[tarfile.TarInfo, bytes], form: str = "gz") -> Path:
    with tarfile.open(tmp_path / "c.tar", f"w:{form}", format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return tmp_path / "c.tar"


def sparse_file(name: str, size: int, *parts: tuple[int, bytes]) -> tuple[tarfile.TarInfo, bytes]:
    """Return a sparse file as GNU tar stores it, with its parts at their offsets."""
    info = tarfile.TarInfo(f"GNUSparseFile.0/{name}")
    info.pax_headers = {
        "GNU.sparse.major": "1",
        "GNU.sparse.minor": "0",
        "GNU.sparse.name": name,
        "GNU.sparse.realsize": str(size),
    }
    numbers = [len(parts), *(number for at, data in parts for number in (at, len(data)))]
    table = "".join(f"{number}\n" for number in numbers).encode()
    return info, table + bytes(-len(table) % 512) + b"".join(data for _at, data in parts)


def test_a_sparse_file_is_read_and_a_sparse_bomb_is_refused(tmp_path: Path) -> None:
    good = tarfile.TarInfo("good"), b"good"
    path = tar(
        tmp_path, sparse_file("holes", 3000, (0, b"a" * 512), (2000, b"b" * 1000)), sparse_file("bomb", 2**42), good
    )
    archive = read_archive(path, tmp_path / "out")
    assert contents(archive) == {"holes": b"a" * 512 + bytes(1488) + b"b" * 1000, "good": b"good"}
    assert "zip bomb" in refusals(archive)["bomb"]


def header(kind: bytes, size: int) -> bytes:
    info = tarfile.TarInfo("x")
    info.type, info.size = kind, size
    return info.tobuf(tarfile.USTAR_FORMAT)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK])
@pytest.mark.parametrize(
    ("size", "content"),
    [(100 * 2**20, b"30 comment=xxxxxxxxx\n" * 5_000), (60_000, b"1" * 60_416)],
    ids=["large", "digits"],
)
def test_a_huge_header_is_refused_without_memory_or_time(
    tmp_path: Path, kind: bytes, size: int, content: bytes
) -> None:
    (tmp_path / "c.tar").write_bytes(header(kind, size) + content + bytes(2048))
    began = time.perf_counter()
    with pytest.raises(IntakeError, match=r"c\.tar has a header of \d+ bytes; expected a regular tar, with less"):
        read_archive(tmp_path / "c.tar", tmp_path / "out")
    assert time.perf_counter() - began < 1


HEADERS_ON_HEADERS = (header(tarfile.XHDTYPE, 12) + b"12 a=bcdefg\n".ljust(512, b"\0")) * 3000


@pytest.mark.parametrize("form", ["headers on headers", "endless list"])
def test_endless_headers_are_refused_quickly(tmp_path: Path, form: str) -> None:
    data = HEADERS_ON_HEADERS
    if form == "endless list":
        # GNU's list of a file's parts with an endless first number, which tarfile would search again and again.
        info, _table = sparse_file("x", 10)
        info.size = 2**26
        data = info.tobuf(tarfile.PAX_FORMAT) + b"99999999\n" + b"1\n" * 2**22
    (tmp_path / "c.tar").write_bytes(data)
    began = time.perf_counter()
    with pytest.raises(IntakeError, match=r"c\.tar has a header of \d+ bytes"):
        read_archive(tmp_path / "c.tar", tmp_path / "out")
    assert time.perf_counter() - began < 2


@pytest.mark.parametrize("when", ["nan", "inf", "-1e30", "99999999999999", "soon"])
def test_an_invalid_time_in_a_tar_is_none(tmp_path: Path, when: str) -> None:
    info = tarfile.TarInfo("a")
    info.pax_headers = {"mtime": when}
    (entry,) = read_archive(tar(tmp_path, (info, b"1")), tmp_path / "out").entries
    assert entry.path.read_bytes() == b"1"
    assert entry.modified is None or when == "soon"


def test_the_later_of_two_tar_members_with_the_same_name_is_used(tmp_path: Path) -> None:
    path = tar(tmp_path, (tarfile.TarInfo("a"), b"old"), (tarfile.TarInfo("./a"), b"new"))
    archive = read_archive(path, tmp_path / "out")
    assert contents(archive) == {"a": b"new"} and "twice" in refusals(archive)["a"]


def test_a_tar_inside_a_tar_is_not_unpacked(tmp_path: Path) -> None:
    inner = write_tar(tmp_path / "inner", {"a": b"1"}).read_bytes()
    archive = read_archive(write_tar(tmp_path / "c.tgz", {"inner.tgz": inner}), tmp_path / "out")
    assert contents(archive) == {"inner.tgz": inner}


def test_a_7z_file_is_recognized_whatever_its_name(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match=r"a 7z archive; expected zip or tar\. Unpack it and give the folder"):
        read(tmp_path, b"7z\xbc\xaf\x27\x1c" + zip_bytes({"a": b"1"}))


def test_the_zips_built_here_are_valid_for_zipfile(tmp_path: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(stored([(b"a", b"1"), (b"b", b"")]))) as archive:
        assert archive.testzip() is None and archive.namelist() == ["a", "b"]
