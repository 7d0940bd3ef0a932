"""One file from one server, whatever the server, the line and the disk do."""

from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.data.cache.download import ATTEMPTS, CHUNK, Downloader, Patience
from grader.data.cache.known_sets import Package
from grader.models.errors import DatasetError
from tests.data.cache.server import Web, served

CONTENT = bytes(range(256)) * 4000  # about sixteen chunks
NAME = "set.tgz"
IMPATIENT = Patience(connect=2.0, read=0.3)


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with served() as web:
        yield web


@pytest.fixture
def web(server: Web) -> Web:
    fresh = Web(files={NAME: CONTENT}, address=server.address)
    server.__dict__.update(fresh.__dict__)
    return server


def package(*urls: str, content: bytes = CONTENT, size: int = len(CONTENT)) -> Package:
    return Package(urls, size, f"sha256:{hashlib.sha256(content).hexdigest()}")


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_is_told_of(tmp_path: Path, web: Web) -> None:
    told: list[tuple[str, int, int]] = []
    path = Downloader(tmp_path, lambda *told_of: told.append(told_of)).fetch(package(web.url(NAME)))
    assert path.read_bytes() == CONTENT
    assert told[-1] == (NAME, len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in told] == sorted(done for _, done, _ in told)


def test_what_an_earlier_try_left_is_continued(tmp_path: Path, web: Web) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:300_000])
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT
    assert web.asked == [(NAME, "bytes=300000-")]


def test_a_complete_part_needs_no_server(tmp_path: Path, web: Web) -> None:
    downloader, wanted = Downloader(tmp_path), package(web.url(NAME))
    downloader.give_back(downloader.fetch(wanted), wanted)
    assert left(tmp_path) == [f"{NAME}.part"]
    web.asked.clear()
    assert downloader.fetch(wanted).read_bytes() == CONTENT
    assert web.asked == []


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, len(CONTENT)), max_size=ATTEMPTS), ranges=st.booleans())
def test_wherever_the_line_drops_the_file_is_whole_or_refused(cuts: list[int], ranges: bool) -> None:
    with served() as web, tempfile.TemporaryDirectory() as folder:
        web.files, web.cuts, web.ranges = {NAME: CONTENT}, list(cuts), ranges
        try:
            assert Downloader(Path(folder)).fetch(package(web.url(NAME))).read_bytes() == CONTENT
        except DatasetError as error:
            assert not ranges, error
            assert "broke off" in str(error)


def test_a_server_that_always_drops_the_line_is_given_up_and_its_part_kept(tmp_path: Path, web: Web) -> None:
    web.cuts = [8 * CHUNK, *[1] * 20]
    with pytest.raises(DatasetError, match=r"set\.tgz: broke off after 0\.5 MB, which are kept"):
        Downloader(tmp_path).fetch(package(web.url(NAME)))
    assert left(tmp_path) == [f"{NAME}.part"]
    web.cuts = []
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT


@pytest.mark.parametrize(
    "part",
    [
        pytest.param(b"x" * 1000, id="of another file"),
        pytest.param(CONTENT + b"longer", id="longer than the file"),
        pytest.param(b"", id="empty"),
    ],
)
@pytest.mark.parametrize("shifted", [0, 5], ids=["", "elsewhere"])
def test_a_part_that_does_not_fit_is_begun_anew(tmp_path: Path, web: Web, part: bytes, shifted: int) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(part)
    web.shifted = shifted
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT


def test_a_wrong_checksum_says_found_and_expected_and_keeps_nothing(tmp_path: Path, web: Web) -> None:
    wanted = package(web.url(NAME), content=b"another")
    with pytest.raises(DatasetError) as failure:
        Downloader(tmp_path).fetch(wanted)
    said = str(failure.value)
    assert hashlib.sha256(CONTENT).hexdigest() in said
    assert hashlib.sha256(b"another").hexdigest() in said
    assert left(tmp_path) == []


def test_a_login_page_of_the_school_is_called_one(tmp_path: Path, web: Web) -> None:
    web.files[NAME] = b"<!DOCTYPE html><html><body>Log in</body></html>"
    with pytest.raises(DatasetError, match=r"found SHA256 [0-9a-f]+ \(a web page"):
        Downloader(tmp_path).fetch(package(web.url(NAME)))
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        pytest.param("nothing.tgz", "the server says 404", id="404"),
        pytest.param("circle", "cannot be reached", id="redirects in a circle"),
        pytest.param("to-file", "cannot be reached", id="redirects to a file of ours"),
    ],
)
def test_what_is_not_there_is_one_line(tmp_path: Path, web: Web, name: str, says: str) -> None:
    web.redirects = {"circle": web.url("circle"), "to-file": "file:///etc/hostname"}
    with pytest.raises(DatasetError, match=says) as failure:
        Downloader(tmp_path).fetch(package(web.url(name)))
    assert "\n" not in str(failure.value)
    assert left(tmp_path) == []


def test_a_redirect_is_followed_and_the_next_address_tried(tmp_path: Path, web: Web) -> None:
    web.redirects = {"old.tgz": web.url(NAME)}
    assert Downloader(tmp_path).fetch(package(web.url("gone"), web.url("old.tgz"))).read_bytes() == CONTENT


def test_a_closed_port_and_a_silent_server_are_left_soon(tmp_path: Path, web: Web) -> None:
    with pytest.raises(DatasetError, match="cannot be reached"):
        Downloader(tmp_path).fetch(package("http://127.0.0.1:9/x"))
    web.seconds = 0.8
    with pytest.raises(DatasetError, match="no answer"):
        Downloader(tmp_path, patience=IMPATIENT).fetch(package(web.url(NAME)))


def test_a_server_that_never_ends_is_cut_off(tmp_path: Path, web: Web) -> None:
    web.endless = True
    with pytest.raises(DatasetError, match=r"sends more than .* MB, expected about"):
        Downloader(tmp_path).fetch(package(web.url(NAME)))


class FullDisk(io.BytesIO):
    def __init__(self, path: Path, room: int) -> None:
        super().__init__()
        self._file, self._room = path.open("ab"), room

    def write(self, content: bytes, /) -> int:  # type: ignore[override]
        self._file.write(content[: self._room])
        self._room -= len(content)
        if self._room < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        return len(content)

    def close(self) -> None:
        self._file.close()
        super().close()


def full_after(room: int) -> Callable[[Path], IO[bytes]]:
    return lambda path: FullDisk(path, room)


def test_a_full_disk_is_passed_on_and_given_back(tmp_path: Path, web: Web) -> None:
    with pytest.raises(OSError, match="No space left"):
        Downloader(tmp_path, opened=full_after(300_000)).fetch(package(web.url(NAME)))
    assert left(tmp_path) == []


def test_an_interruption_keeps_what_is_there(tmp_path: Path, web: Web) -> None:
    def interrupted(_file: str, done: int, _total: int) -> None:
        if done > CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Downloader(tmp_path, interrupted).fetch(package(web.url(NAME)))
    assert left(tmp_path) == [f"{NAME}.part"]
    assert CONTENT.startswith((tmp_path / f"{NAME}.part").read_bytes())


def test_two_at_once_have_a_file_each(tmp_path: Path, web: Web) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(Downloader(tmp_path).fetch, [package(web.url(NAME))] * 4))
    assert len(set(paths)) == 4
    assert all(path.read_bytes() == CONTENT for path in paths)


def test_the_part_of_a_dead_process_is_continued_and_of_a_living_one_is_not(tmp_path: Path, web: Web) -> None:
    dead = subprocess.run([sys.executable, "-Sc", "import os; print(os.getpid())"], capture_output=True, check=True)
    theirs = tmp_path / f"{NAME}.0123abcd.{os.getppid()}.part"
    theirs.write_bytes(CONTENT[:7])
    (tmp_path / f"{NAME}.0123abcd.{int(dead.stdout)}.part").write_bytes(CONTENT[:500])
    Downloader(tmp_path).fetch(package(web.url(NAME)))
    assert web.asked == [(NAME, "bytes=500-")]
    assert theirs.read_bytes() == CONTENT[:7]


def test_what_somebody_brought_is_read_and_never_changed(tmp_path: Path, web: Web) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    assert Downloader(tmp_path).fetch(package(web.url(NAME))) == tmp_path / NAME
    assert web.asked == []
    (tmp_path / NAME).write_bytes(b"cut off")
    with pytest.raises(DatasetError, match="the checksum is wrong"):
        Downloader(tmp_path).fetch(package("http://127.0.0.1:9/set.tgz"))
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT
    assert (tmp_path / NAME).read_bytes() == b"cut off"
