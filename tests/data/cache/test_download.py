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

from grader.data.cache.download import ATTEMPTS, CHUNK, Downloader, Timeouts
from grader.data.cache.known_sets import Package
from grader.models.errors import DatasetError
from tests.data.cache.faulty_server import Web, run_server

CONTENT = bytes(range(256)) * 4000  # about sixteen chunks
NAME = "set.tgz"
SHORT_TIMEOUTS = Timeouts(connect=2.0, read=0.3)


@pytest.fixture(scope="module")
def server() -> Iterator[Web]:
    with run_server() as web:
        yield web


@pytest.fixture
def web(server: Web) -> Web:
    fresh = Web(files={NAME: CONTENT}, address=server.address)
    server.__dict__.update(fresh.__dict__)
    return server


def package(*urls: str, content: bytes = CONTENT, size: int = len(CONTENT)) -> Package:
    return Package(urls, size, f"sha256:{hashlib.sha256(content).hexdigest()}")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_and_its_progress_is_reported(tmp_path: Path, web: Web) -> None:
    progress: list[tuple[str, int, int]] = []
    path = Downloader(tmp_path, lambda *step: progress.append(step)).fetch(package(web.url(NAME)))
    assert path.read_bytes() == CONTENT
    assert progress[-1] == (NAME, len(CONTENT), len(CONTENT))
    assert [done for _, done, _ in progress] == sorted(done for _, done, _ in progress)


def test_a_partial_download_is_resumed(tmp_path: Path, web: Web) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:300_000])
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT
    assert web.requests == [(NAME, "bytes=300000-")]


def test_a_complete_part_needs_no_server(tmp_path: Path, web: Web) -> None:
    downloader, wanted = Downloader(tmp_path), package(web.url(NAME))
    downloader.give_back(downloader.fetch(wanted), wanted)
    assert names_in(tmp_path) == [f"{NAME}.part"]
    web.requests.clear()
    assert downloader.fetch(wanted).read_bytes() == CONTENT
    assert web.requests == []


@settings(max_examples=10, deadline=None)
@given(cuts=st.lists(st.integers(1, len(CONTENT)), max_size=ATTEMPTS), ranges=st.booleans())
def test_the_file_is_whole_or_refused_wherever_the_connection_drops(cuts: list[int], ranges: bool) -> None:
    with run_server() as web, tempfile.TemporaryDirectory() as folder:
        web.files, web.cuts, web.ranges = {NAME: CONTENT}, list(cuts), ranges
        try:
            assert Downloader(Path(folder)).fetch(package(web.url(NAME))).read_bytes() == CONTENT
        except DatasetError as error:
            assert not ranges, error
            assert "the connection broke" in str(error)


def test_repeated_drops_end_the_download_and_keep_the_part(tmp_path: Path, web: Web) -> None:
    web.cuts = [8 * CHUNK, *[1] * 20]
    with pytest.raises(DatasetError, match=r"set\.tgz: the connection broke after 0\.5 MB; these were kept"):
        Downloader(tmp_path).fetch(package(web.url(NAME)))
    assert names_in(tmp_path) == [f"{NAME}.part"]
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
def test_an_unsuitable_part_is_downloaded_again(tmp_path: Path, web: Web, part: bytes, shifted: int) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(part)
    web.shifted = shifted
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT


def test_a_wrong_checksum_is_reported_with_both_hashes_and_keeps_nothing(tmp_path: Path, web: Web) -> None:
    wanted = package(web.url(NAME), content=b"another")
    with pytest.raises(DatasetError) as failure:
        Downloader(tmp_path).fetch(wanted)
    assert hashlib.sha256(CONTENT).hexdigest() in str(failure.value)
    assert hashlib.sha256(b"another").hexdigest() in str(failure.value)
    assert names_in(tmp_path) == []


def test_a_login_page_instead_of_the_file_is_called_a_web_page(tmp_path: Path, web: Web) -> None:
    web.files[NAME] = b"<!DOCTYPE html><html><body>Log in</body></html>"
    with pytest.raises(DatasetError, match=r"found SHA256 [0-9a-f]+ \(a web page"):
        Downloader(tmp_path).fetch(package(web.url(NAME)))
    assert names_in(tmp_path) == []


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("nothing.tgz", "the server answered 404", id="404"),
        pytest.param("circle", "cannot be reached", id="a redirect loop"),
        pytest.param("to-file", "cannot be reached", id="a redirect to a local file"),
    ],
)
def test_an_unavailable_file_is_a_one_line_error(tmp_path: Path, web: Web, name: str, expected: str) -> None:
    web.redirects = {"circle": web.url("circle"), "to-file": "file:///etc/hostname"}
    with pytest.raises(DatasetError, match=expected) as failure:
        Downloader(tmp_path).fetch(package(web.url(name)))
    assert "\n" not in str(failure.value)
    assert names_in(tmp_path) == []


def test_redirects_are_followed_and_the_next_address_is_tried(tmp_path: Path, web: Web) -> None:
    web.redirects = {"old.tgz": web.url(NAME)}
    assert Downloader(tmp_path).fetch(package(web.url("gone"), web.url("old.tgz"))).read_bytes() == CONTENT


def test_a_closed_port_and_a_silent_server_fail_quickly(tmp_path: Path, web: Web) -> None:
    with pytest.raises(DatasetError, match="cannot be reached"):
        Downloader(tmp_path).fetch(package("http://127.0.0.1:9/x"))
    web.seconds = 0.8
    with pytest.raises(DatasetError, match="no answer"):
        Downloader(tmp_path, timeouts=SHORT_TIMEOUTS).fetch(package(web.url(NAME)))


def test_an_endless_response_is_cut_off(tmp_path: Path, web: Web) -> None:
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


def test_a_full_disk_error_is_raised_and_leaves_nothing(tmp_path: Path, web: Web) -> None:
    with pytest.raises(OSError, match="No space left"):
        Downloader(tmp_path, open_part=full_after(300_000)).fetch(package(web.url(NAME)))
    assert names_in(tmp_path) == []


def test_an_interruption_keeps_the_part(tmp_path: Path, web: Web) -> None:
    def interrupted(_file: str, done: int, _total: int) -> None:
        if done > CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Downloader(tmp_path, interrupted).fetch(package(web.url(NAME)))
    assert names_in(tmp_path) == [f"{NAME}.part"]
    assert CONTENT.startswith((tmp_path / f"{NAME}.part").read_bytes())


def test_concurrent_downloads_use_separate_files(tmp_path: Path, web: Web) -> None:
    (tmp_path / f"{NAME}.part").write_bytes(CONTENT[:1000])
    with ThreadPoolExecutor(4) as pool:
        paths = list(pool.map(Downloader(tmp_path).fetch, [package(web.url(NAME))] * 4))
    assert len(set(paths)) == 4
    assert all(path.read_bytes() == CONTENT for path in paths)


def test_the_part_of_an_ended_process_is_resumed_and_of_a_running_one_is_not(tmp_path: Path, web: Web) -> None:
    dead = subprocess.run([sys.executable, "-Sc", "import os; print(os.getpid())"], capture_output=True, check=True)
    running = tmp_path / f"{NAME}.0123abcd.{os.getppid()}.part"
    running.write_bytes(CONTENT[:7])
    (tmp_path / f"{NAME}.0123abcd.{int(dead.stdout)}.part").write_bytes(CONTENT[:500])
    Downloader(tmp_path).fetch(package(web.url(NAME)))
    assert web.requests == [(NAME, "bytes=500-")]
    assert running.read_bytes() == CONTENT[:7]


def test_a_file_of_the_operator_is_read_and_never_changed(tmp_path: Path, web: Web) -> None:
    (tmp_path / NAME).write_bytes(CONTENT)
    assert Downloader(tmp_path).fetch(package(web.url(NAME))) == tmp_path / NAME
    assert web.requests == []
    (tmp_path / NAME).write_bytes(b"cut off")
    with pytest.raises(DatasetError, match="the checksum is wrong"):
        Downloader(tmp_path).fetch(package("http://127.0.0.1:9/set.tgz"))
    assert Downloader(tmp_path).fetch(package(web.url(NAME))).read_bytes() == CONTENT
    assert (tmp_path / NAME).read_bytes() == b"cut off"
