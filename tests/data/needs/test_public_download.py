"""Downloads of addresses that students chose: bounded, public, without the teacher's passwords."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from grader.data.needs.public_download import DownloadLimits, download, is_public
from grader.models.errors import DatasetError
from tests.data.cache.faulty_server import Web, run_server

HERE = DownloadLimits(bytes=1_000_000, seconds=20, private=True)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def web() -> Iterator[Web]:
    with run_server() as web:
        web.files = {"heart.csv": b"age,target\n1,0\n"}
        yield web


def refusal(address: str, folder: Path, limits: DownloadLimits = HERE) -> str:
    with pytest.raises(DatasetError) as caught:
        download(address, folder / "file", limits)
    assert list(folder.iterdir()) == []
    return str(caught.value)


def test_a_file_is_stored_as_it_is(web: Web, tmp_path: Path) -> None:
    web.redirects["moved"] = web.url("heart.csv")
    assert download(web.url("moved"), tmp_path / "heart.csv", HERE) == 15
    assert [path.name for path in tmp_path.iterdir()] == ["heart.csv"]
    assert (tmp_path / "heart.csv").read_bytes() == web.files["heart.csv"]


def test_an_endless_redirection_is_told(web: Web, tmp_path: Path) -> None:
    web.redirects["loop"] = web.url("loop")
    assert "redirected more than 5 times" in refusal(web.url("loop"), tmp_path)
    assert len(web.requests) == 6


def test_private_addresses_get_no_request_unless_the_teacher_allows_it(web: Web, tmp_path: Path) -> None:
    public = DownloadLimits()
    port = web.address.rpartition(":")[2]
    for host in ("127.0.0.1", "localhost", "0.0.0.0", "[::ffff:127.0.0.1]", "0x7f.1", "2130706433"):
        text = refusal(f"http://{host}:{port}/heart.csv", tmp_path, public)
        assert "private address" in text or "cannot be reached" in text
    assert web.requests == []


def test_a_private_address_behind_a_proxy_gets_no_request(
    web: Web, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", web.address)
    monkeypatch.setenv("http_proxy", web.address)
    for host in ("10.0.0.1", "169.254.169.254", "intranet.invalid"):
        assert "private address" in refusal(f"http://{host}/heart.csv", tmp_path, DownloadLimits())
    assert web.requests == []


@pytest.mark.parametrize(
    "address",
    ["file:///etc/passwd", "ftp://example.org/x", "http://me:secret@example.org/x", "https://", "gopher://x/", "x.csv"],
)
def test_only_plain_web_addresses_are_followed(tmp_path: Path, address: str) -> None:
    assert "only plain http and https" in refusal(address, tmp_path)


def test_a_redirection_to_another_scheme_is_refused(web: Web, tmp_path: Path) -> None:
    web.redirects["local"] = "file:///etc/passwd"
    assert "cannot be reached" in refusal(web.url("local"), tmp_path)


def test_a_file_that_never_ends_is_stopped(web: Web, tmp_path: Path) -> None:
    web.endless = True
    assert "is larger than 1 MB" in refusal(web.url("heart.csv"), tmp_path)


def test_a_missing_file_and_a_dead_server_are_told(web: Web, tmp_path: Path) -> None:
    assert "the server answered 404" in refusal(web.url("gone.csv"), tmp_path)
    assert "cannot be reached" in refusal("http://127.0.0.1:9/x", tmp_path)


def test_a_zip_that_would_fill_the_disk_is_refused_unopened(web: Web, tmp_path: Path) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("a.csv", "b.csv"):
            archive.writestr(name, b"0" * 1000)
    content = bytearray(packed.getvalue())
    place = 0
    while (place := content.find(b"PK\x01\x02", place + 1)) > 0:
        content[place + 24 : place + 28] = (3 << 30).to_bytes(4, "little")  # the declared size, in the list of contents
    web.files |= {"bomb.zip": bytes(content), "plain.zip": packed.getvalue(), "broken.zip": packed.getvalue()[:50]}
    assert "unpacks to 6 GB" in refusal(web.url("bomb.zip"), tmp_path)
    download(web.url("plain.zip"), tmp_path / "plain.zip", HERE)
    download(web.url("broken.zip"), tmp_path / "broken.zip", HERE)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:0a00:0001::", False),
    ],
)
def test_public_addresses_are_told_from_private_ones(address: str, public: bool) -> None:
    assert is_public(address) is public
