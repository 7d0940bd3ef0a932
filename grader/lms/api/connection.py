"""One LMS's server over the network: encrypted, never sent on elsewhere, asked again where that can do no harm."""

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
_SAID = 200  # characters of a server's own words


class _NoNetrc(AuthBase):
    """Without it ``requests`` would put a password of ~/.netrc in the place of the token."""

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        return request


class _Bearer(AuthBase):
    def __init__(self, token: Token) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token.value}"
        return request


def checked_address(url: str) -> str:
    """``url`` without a ``/`` at its end; raises ``PushError`` for one to which no token may be sent."""
    parts = urlsplit(url.strip())
    encrypted = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if not encrypted or not parts.hostname or "@" in parts.netloc or parts.query or parts.fragment or "\\" in url:
        raise PushError(
            message("--url: found {found}, expected an address such as https://school.example.", found=_redacted(url))
        )
    return url.strip().rstrip("/")


def _redacted(url: str) -> str:
    """Without what may be a password."""
    return url.rpartition("@")[2].partition("?")[0]


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


class Connection:
    """Requests to ``url``; each raises ``PushError``, whose words hold no token.

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
        """The answer from an address of the LMS's own, asked several times if need be."""
        if _origin(url) != _origin(self.url):
            raise self._sent_on(url)
        return self._settled("GET", url, again=True, auth=self._auth, **content)

    def ask(self, url: str, **content: Any) -> requests.Response:
        """As ``get``, of an interface that is asked by POST; nothing may be changed by it."""
        return self._settled("POST", url, again=True, auth=self._auth, **content)

    def change(self, method: str, url: str, **content: Any) -> requests.Response:
        """Sent once, unless the server says that it did not take it; raises ``UnclearError`` when it breaks down."""
        return self._settled(method, url, again=False, auth=self._auth, **content)

    def upload(self, url: str, data: Mapping[str, str], files: Mapping[str, Any]) -> requests.Response:
        """To the address that the LMS named for a file, perhaps another host's: without the token.

        A redirect is the caller's to follow.
        """
        checked_address(url.partition("?")[0])
        response = self._once("POST", url, auth=_NoNetrc(), data=data, files=files)
        return response if response.is_redirect else self._judged(response, again=False)

    # ---------------------------------------------------------------- one request

    def _settled(self, method: str, url: str, *, again: bool, **content: Any) -> requests.Response:
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
            self._pause(_asked_pause(response) or 2.0**number)
        if response.is_redirect:
            raise self._sent_on(response.headers["Location"])
        return self._judged(response, again=again)

    def _once(self, method: str, url: str, **content: Any) -> requests.Response:
        try:
            return self._session.request(method, url, timeout=_TIMEOUT, allow_redirects=False, **content)
        except requests.exceptions.SSLError as error:
            raise PushError(
                message("{host}: the connection is not safe, nothing was sent: {reason}", host=self.host,
                        reason=self.said(str(error)))
            ) from None  # fmt: skip
        except requests.RequestException as error:
            raise UnclearError(
                message("{host} does not answer: {reason}", host=self.host, reason=self.said(type(error).__name__))
            ) from None

    def _judged(self, response: requests.Response, *, again: bool) -> requests.Response:
        status = response.status_code
        if status < 400:
            return response
        words = self.said(_words(response))
        if status == 401:
            raise TokenError(
                message("{host} does not take the token: {words} Make a new one there.", host=self.host, words=words)
            )
        if status == 404:
            raise PushError(
                message(
                    "{host} knows no assignment of these numbers: look at --course and --assignment. {words}",
                    host=self.host, words=words,
                )
            )  # fmt: skip
        kind = UnclearError if status >= 500 and not again else PushError
        raise kind(message("{host} refused (status {status}): {words}", host=self.host, status=status, words=words))

    def json(self, response: requests.Response) -> Any:
        """What the server answered; raises ``PushError`` for a web page, such as one that asks to log in."""
        try:
            return response.json()
        except ValueError:
            raise PushError(
                message("{host} answered with something other than data. Is --url right?", host=self.host)
            ) from None

    def said(self, words: str) -> str:
        """A server's words, cut short and without the token."""
        return self.token.hidden_in(words)[:_SAID]

    def _sent_on(self, url: str) -> PushError:
        other = self.said(_redacted(url))
        return PushError(
            message(
                "{host} sends us on to {other}, which is not followed: the token is for {host} alone. Give --url as "
                "the browser shows it.",
                host=self.host, other=other,
            )
        )  # fmt: skip


def _too_fast(response: requests.Response) -> bool:
    """Canvas has said so with both."""
    return response.status_code == _TOO_FAST or (
        response.status_code == 403 and "rate limit exceeded" in response.text[:1000].lower()
    )


def _asked_pause(response: requests.Response) -> float:
    """Seconds that the server asks for; 0 where it says nothing."""
    text = response.headers.get("Retry-After", "")
    return min(float(text), _LONGEST_PAUSE) if text.isascii() and text.isdigit() else 0.0


def _words(response: requests.Response) -> str:
    """What an error says for people: every "message" in it. A web page says nothing."""
    try:
        found = response.json()
    except ValueError:
        return ""
    return " ".join(_messages(found))


def _messages(found: Any) -> list[str]:
    if isinstance(found, Mapping):
        own = [str(found["message"])] if isinstance(found.get("message"), str) else []
        return own + [one for key, value in found.items() if key != "message" for one in _messages(value)]
    if isinstance(found, list):
        return [one for value in found[:10] for one in _messages(value)]
    return []
