"""Normalize and check the file names of archives, which are untrusted."""

from __future__ import annotations

import re
import unicodedata

from grader.i18n.message import Message, message

JUNK_FOLDERS = frozenset({"__MACOSX", ".ipynb_checkpoints", ".virtual_documents", "__pycache__"})
JUNK_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})

# The last two ranges reorder the text around them: a name could turn around what a page says about it.
_CONTROL = re.compile(r"[\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")
_SYMBOLS = {code: 0x2400 + code for code in range(0x20)}  # ␀, ␁ ...: names that differ in them stay different
_DRIVE = re.compile(r"[A-Za-z]:")


def tidy_name(name: str) -> str:
    """Return ``name`` in NFC, with ``/`` between non-empty parts and control characters replaced by symbols or U+FFFD.

    A leading ``/`` stays, for ``name_problem`` to find. A trailing ``/`` marks a folder.
    """
    visible = _CONTROL.sub("\ufffd", name.translate(_SYMBOLS))
    name = unicodedata.normalize("NFC", visible.replace("\\", "/"))
    inner = "/".join(part for part in name.split("/") if part not in ("", "."))
    return ("/" if name.startswith("/") else "") + inner + ("/" if inner and name.endswith("/") else "")


def name_problem(name: str) -> Message | None:
    """Return why a tidy name must be refused, or None if it stays inside the archive."""
    if not name.strip("/"):
        return message("it has no name")
    if name.startswith("/") or _DRIVE.match(name):
        return message("its name is an absolute path ({name})", name=name)
    if ".." in name.split("/"):
        return message("its name points outside the archive ({name})", name=name)
    return None


def is_junk(name: str) -> bool:
    """Return whether ``name`` belongs to a file that operating systems or Jupyter create by themselves."""
    parts = name.rstrip("/").split("/")
    return not JUNK_FOLDERS.isdisjoint(parts) or parts[-1] in JUNK_FILES or parts[-1].startswith("._")
