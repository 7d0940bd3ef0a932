"""The token of a teacher's account, from the environment or the system's keyring; never part of any output."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from grader.i18n.message import message
from grader.models.errors import TokenError

_WELL_FORMED = re.compile(r"[\x21-\x5b\x5d-\x7e]{8,4096}")  # no spaces, no backslash


@dataclass(frozen=True, slots=True)
class Token:
    value: str = field(repr=False)

    def hidden_in(self, text: str) -> str:
        """Return ``text`` with "…" for the token, in every form in which a server may write it."""
        return re.sub("".join(map(_any_form, self.value)), "…", text, flags=re.IGNORECASE)


def _any_form(character: str) -> str:
    """Return a pattern for ``character``, plain or as addresses, HTML and JSON write it."""
    code = ord(character)
    as_reference = f"&#0*{code};|&#x0*{code:x};|{re.escape(html.escape(character))}"
    return rf"(?:\\?{re.escape(character)}|%{code:02x}|{as_reference}|\\u{code:04x})"


def variable(system: str) -> str:
    return f"GRADER_{system.upper()}_TOKEN"


def find_token(system: str, host: str, environment: Mapping[str, str]) -> Token:
    """Return the token for ``system`` at ``host`` from the environment, else from the keyring.

    Raises ``TokenError`` if there is none, or if it cannot be a token.
    """
    value = environment.get(variable(system), "").strip() or _in_keyring(system, host).strip()
    if not value:
        raise TokenError(
            message(
                "There is no token for {host}. Put it into the variable {variable}, or into the system's keyring: "
                "pip install keyring, then keyring set grader-{system} {host}",
                host=host, system=system, variable=variable(system),
            )
        )  # fmt: skip
    if not _WELL_FORMED.fullmatch(value):
        # The library would refuse the request with an error that contains the token.
        raise TokenError(
            message(
                "The token for {host} is not valid: found {n} characters; expected at least 8 letters, digits and "
                "signs, without spaces. Copy it again from the LMS.",
                host=host, n=len(value),
            )
        )  # fmt: skip
    return Token(value)


def _in_keyring(system: str, host: str) -> str:
    try:
        import keyring  # noqa: PLC0415  optional
        from keyring.errors import KeyringError  # noqa: PLC0415
    except ImportError:
        return ""
    try:
        return keyring.get_password(f"grader-{system}", host) or ""
    except KeyringError:
        return ""  # a machine without one
