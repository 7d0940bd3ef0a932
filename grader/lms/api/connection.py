"""Requests to an LMS server: encrypted, never redirected to another host, repeated where that is safe."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase

from grader.i18n.message import message
from grader.lms.api.token import Token
from grader.models.errors import PushError, TokenError, UnclearError

_LOCAL = ("localhost", "127.0.0.1", "::1")
_TIMEOUT = (10.0, 60.0)  # seconds to connect, seconds without a byte
_TRIES, _LONGEST_PAUSE = 5, 60.0
_TOO_FAST = 429
_MOST_CHARACTERS = 200  # of a server's message


class _NoNetrc(AuthBase):
    """No authentication. Keeps ``requests`` from sending a password of ~/.netrc."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Bearer(AuthBase):
    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request


def checked_address(url: str) -> str:
    """Return ``url`` without a final ``/``; raises ``PushError`` for an address to which no token may be sent."""
    parts = urlsplit(url.strip())
    encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if not encrypted or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment or "\\" in url:
        raise PushError(
            message("--url: found {found}; expected an address such as https://school.example.", found=_redacted(url))
        )
    return url.strip().rstrip("/")


def _redacted(url: str) -> str:
    """Return ``url`` without parts that may hold a password."""
    return url.rpartition("@")[2].partition("?")[0]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


class Connection:
    """Requests to the server at ``url``. All raise ``PushError``, whose message never contains the token.

    With ``bearer`` the token is in every request's header; else the caller puts it into the content.
    """

    def __init__(
        self, url: str, token: Token, *, bearer: bool = False, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self.url = checked_address(url)
        self.host = urlsplit(self.url).hostname or ""
        self.token = token
        self._auth: AuthBase = _Bearer(token) if bearer else _NoNetrc()
        self._pause = pause
        self._session = requests.Session()

    def get(self, url: str, **content: Any) -> requests.Response:
        """Send a GET request to the LMS's own host, several times if necessary."""
        if _origin(url) != _origin(self.url):
            raise self._redirect_error(url)
        return self._send("GET", url, again=True, auth=self._auth, **content)

    def ask(self, url: str, **content: Any) -> requests.Response:
        """Send a POST request that changes nothing, several times if necessary."""
        return self._send("POST", url, again=True, auth=self._auth, **content)

    def change(self, method: str, url: str, **content: Any) -> requests.Response:
        """Send a request that changes something, once; again only if the server says that it was not processed.

        Raises ``UnclearError`` if the server fails, because the change may have been made.
        """
        return self._send(method, url, again=False, auth=self._auth, **content)

    def upload(self, url: str, data: Mapping[str, str], files: Mapping[str, Any]) -> requests.Response:
        """Send a file to the address that the LMS named, perhaps on another host, without the token.

        Returns a redirect to the caller.
        """
        checked_address(url.partition("?")[0])
        response = self._once("POST", url, auth=_NoNetrc(), data=data, files=files)
        return response if response.is_redirect else self._check(response, again=False)

    # ---------------------------------------------------------------- one request

    def _send(self, method: str, url: str, *, again: bool, **content: Any) -> requests.Response:
        for number in range(_TRIES):
            last = number == _TRIES - 1
            try:
                response = self._once(method, url, **content)
            except UnclearError:
                if last or not again:
                    raise
                self._pause(2.0**number)
                continue
            if last or not (_too_fast(response) or (again and response.status_code >= 500)):
                break
            self._pause(_retry_after(response) or 2.0**number)
        if response.is_redirect:
            raise self._redirect_error(response.headers["Location"])
        return self._check(response, again=again)

    def _once(self, method: str, url: str, **content: Any) -> requests.Response:
        try:
            return self._session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, **content)
        except requests.exceptions.SSLError as error:
            raise PushError(
                message("{host}: the connection is not secure, nothing was sent: {reason}", host=self.host,
                        reason=self.quote(str(error)))
            ) from None  # fmt: skip
        except requests.RequestException as error:
            raise UnclearError(
                message("{host} does not answer: {reason}", host=self.host, reason=self.quote(type(error).__name__))
            ) from None

    def _check(self, response: requests.Response, *, again: bool) -> requests.Response:
        status = response.status_code
        if status < 400:
            return response
        words = self.quote(_error_text(response))
        if status == 401:
            raise TokenError(
                message("{host} does not accept the token: {words} Make a new one there.", host=self.host, words=words)
            )
        if status == 404:
            raise PushError(
                message(
                    "{host} has no assignment with these numbers: check --course and --assignment. {words}",
                    host=self.host, words=words,
                )
            )  # fmt: skip
        kind = UnclearError if status >= 500 and not again else PushError
        raise kind(message("{host} refused (status {status}): {words}", host=self.host, status=status, words=words))

    def json(self, response: requests.Response) -> Any:
        """Return the response's JSON; raises ``PushError`` for a web page, such as one that asks to log in."""
        try:
            return response.json()
        except ValueError:
            raise PushError(
                message("{host} answered with something other than data. Is --url right?", host=self.host)
            ) from None

    def quote(self, words: str) -> str:
        """Return a server's message, shortened and without the token."""
        return self.token.hidden_in(words)[:_MOST_CHARACTERS]

    def _redirect_error(self, url: str) -> PushError:
        other = self.quote(_redacted(url))
        return PushError(
            message(
                "{host} redirects to {other}; the redirect was not followed, because the token is for {host} only. "
                "Give --url as the browser shows it.",
                host=self.host, other=other,
            )
        )  # fmt: skip


def _too_fast(response: requests.Response) -> bool:
    """Check for a rate limit; Canvas reports it with either status."""
    return response.status_code == _TOO_FAST or (
        response.status_code == 403 and "rate limit exceeded" in response.text[:1000].lower()
    )


def _retry_after(response: requests.Response) -> float:
    """Return the seconds that the server asks to wait; 0 without such a header."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() else 0.0


def _error_text(response: requests.Response) -> str:
    """Return every "message" in an error response; empty for a web page."""
    try:
        found = response.json()
    except ValueError:
        return ""
    return " ".join(_messages(found))


def _messages(found: Any) -> list[str]:
    if isinstance(found, Mapping):
        own = [str(found["message"])] if isinstance(found.get("message"), str) else []
        return own + [text for key, value in found.items() if key != "message" for text in _messages(value)]
    if isinstance(found, list):
        return [text for value in found[:10] for text in _messages(value)]
    return []
