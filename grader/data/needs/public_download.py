"""Download of an address that a student's notebook names, on the teacher's explicit command.

The teacher's machine may reach what a student cannot: a router, a server of the school, a cloud's metadata. So only
http and https are followed, only to public addresses, at each redirection and after the name was resolved; without the
teacher's passwords; to a limited size and within a limited time. What arrives is stored, never opened or unpacked.
"""

from __future__ import annotations

import ipaddress
import socket
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests
import requests.adapters
import requests.utils
import urllib3.connection
import urllib3.connectionpool

from grader.i18n.message import message
from grader.models.errors import DatasetError

MAX_REDIRECTS = 5
CHUNK = 1 << 16
MAX_UNPACKED = 4 << 30  # bytes that a zip may declare for its content


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Limits of one download. ``private`` addresses are those of the own network and of this machine."""

    bytes: int = 200_000_000
    seconds: float = 300.0
    private: bool = False


class _PrivateAddressError(OSError):
    """The server's address is not public."""


def download(address: str, target: Path, limits: DownloadLimits) -> int:
    """Store the file at ``address`` as ``target``, which must not exist; return its size. Raises DatasetError."""
    part = target.with_name(f"{target.name}.part")
    try:
        size = _receive(address, part, limits)
        _refuse_bomb(part, address)
        part.rename(target)
    except requests.TooManyRedirects as error:
        raise DatasetError(message("{url}: is redirected more than {n} times", url=address, n=MAX_REDIRECTS)) from error
    except requests.Timeout as error:
        raise DatasetError(message("{url}: no answer", url=address)) from error
    except (requests.RequestException, OSError) as error:
        if _is_private(error):
            raise DatasetError(_private(address)) from error
        raise DatasetError(message("{url}: cannot be reached", url=address)) from error
    finally:
        part.unlink(missing_ok=True)
    return size


def _receive(address: str, part: Path, limits: DownloadLimits) -> int:
    parts = urlsplit(address)
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise DatasetError(message("{url}: only plain http and https addresses are fetched", url=address))
    until, size = time.monotonic() + limits.seconds, 0
    with _session(address, limits) as session:
        headers = {"Accept-Encoding": "identity"}
        with session.get(address, headers=headers, timeout=(6, 30), stream=True) as response, part.open("xb") as file:
            if response.status_code != 200:
                status, reason = response.status_code, str(response.reason)
                raise DatasetError(
                    message("{url}: the server answered {status} {reason}", url=address, status=status, reason=reason)
                )
            for chunk in response.iter_content(CHUNK):
                size += len(chunk)
                if size > limits.bytes:
                    raise DatasetError(
                        message("{url}: is larger than {limit:.0f} MB", url=address, limit=limits.bytes / 1e6)
                    )
                if time.monotonic() > until:
                    raise DatasetError(
                        message("{url}: took longer than {seconds:.0f} s", url=address, seconds=limits.seconds)
                    )
                file.write(chunk)
    return size


def _session(address: str, limits: DownloadLimits) -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # no passwords of .netrc for a server that a student chose
    session.proxies.update(requests.utils.get_environ_proxies(address))
    session.max_redirects = MAX_REDIRECTS
    if not limits.private:
        for scheme in ("http://", "https://"):
            session.mount(scheme, _PublicAdapter())
    return session


def _refuse_bomb(path: Path, address: str) -> None:
    """Raise DatasetError for a zip that would fill a disk; only its list of contents is read."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return
    if unpacked > MAX_UNPACKED:
        raise DatasetError(
            message(
                "{url}: is a zip that unpacks to {size:.0f} GB; at most {most:.0f} GB are taken",
                url=address, size=unpacked / 2**30, most=MAX_UNPACKED / 2**30,
            )
        )  # fmt: skip


def _private(address: str) -> Any:
    return message(
        "{url}: leads to a private address, of your own network or this machine, or cannot be resolved here. A student "
        "chose it, so it is not fetched; if you know it: --allow-private",
        url=address,
    )


def _is_private(error: BaseException | None) -> bool:
    """Return whether the refusal of ``_checked`` is among the causes of an error."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        one = waiting.pop()
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, _PrivateAddressError):
            return True
        waiting += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return False


# ---------------------------------------------------------------- connections


def is_public(host: str) -> bool:
    """Return whether an IP address is one of the public internet."""
    address = ipaddress.ip_address(host.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
    return address.is_global and not address.is_multicast and (mapped is None or is_public(str(mapped)))


def _checked(connected: socket.socket) -> socket.socket:
    """Return the connection if it leads to a public address. It is checked here, not by name, which may change."""
    peer = str(connected.getpeername()[0])
    if not is_public(peer):
        connected.close()
        raise _PrivateAddressError(peer)
    return connected


class _PublicHTTPConnection(urllib3.connection.HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _PublicHTTPSConnection(urllib3.connection.HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _checked(super()._new_conn())


class _PublicHTTPPool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _PublicHTTPConnection


class _PublicHTTPSPool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _PublicHTTPSConnection


class _PublicAdapter(requests.adapters.HTTPAdapter):
    """Connects to public addresses only. Through a proxy, where the proxy connects, the name is resolved here first."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _PublicHTTPPool, "https": _PublicHTTPSPool}

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        host = urlsplit(request.url or "").hostname or ""
        if requests.utils.select_proxy(str(request.url), kwargs.get("proxies")):
            _require_public_name(host)
        return super().send(request, *args, **kwargs)


def _require_public_name(host: str) -> None:
    try:
        found = {str(entry[4][0]) for entry in socket.getaddrinfo(host, None)}
    except OSError:
        raise _PrivateAddressError(host) from None  # only the proxy knows it, and it may be a server inside
    for one in found:
        if not is_public(one):
            raise _PrivateAddressError(one)
