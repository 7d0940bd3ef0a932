"""The key to a teacher's account: from the environment or the system's keyring, and into nothing that people read."""

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
        """``text`` without the token, however a server wrote it."""
        return re.sub("".join(map(_any_form, self.value)), "…", text, flags=re.IGNORECASE)


def _any_form(character: str) -> str:
    """A pattern for ``character`` as it stands, and as addresses, pages and JSON write it."""
    code = ord(character)
    as_reference = f"&#0*{code};|&#x0*{code:x};|{re.escape(html.escape(character))}"
    return rf"(?:\\?{re.escape(character)}|%{code:02x}|{as_reference}|\\u{code:04x})"


def variable(system: str) -> str:
    return f"GRADER_{system.upper()}_TOKEN"


def find_token(system: str, host: str, environment: Mapping[str, str]) -> Token:
    """The token for ``system`` at ``host``: the variable's, else the keyring's; raises ``TokenError``."""
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
        # The request would be refused by the library, with the token in its words.
        raise TokenError(
            message(
                "What is given as the token for {host} is none: found {n} characters, expected at least 8, all of them "
                "letters, digits and signs, without spaces. Copy it again from the LMS.",
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
