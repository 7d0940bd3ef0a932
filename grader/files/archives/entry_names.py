"""Names of files that strangers gave: made comparable, judged before use."""

from __future__ import annotations

import re
import unicodedata

from grader.i18n.message import Message, message

JUNK_FOLDERS = frozenset({"__MACOSX", ".ipynb_checkpoints", ".virtual_documents", "__pycache__"})
JUNK_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})

_CONTROL = re.compile(r"[\x7f-\x9f\ud800-\udfff]")
_PICTURES = {code: 0x2400 + code for code in range(0x20)}  # ␀, ␁ ...: names that differ in them stay different
_DRIVE = re.compile(r"[A-Za-z]:")


def tidy_name(name: str) -> str:
    """``name`` as data: NFC, ``/`` between its parts, no empty parts, control characters made visible, or U+FFFD.

    A leading ``/`` stays, so that ``name_problem`` sees it; a trailing one marks a folder.
    """
    visible = _CONTROL.sub("\ufffd", name.translate(_PICTURES))
    name = unicodedata.normalize("NFC", visible.replace("\\", "/"))
    inner = "/".join(part for part in name.split("/") if part not in ("", "."))
    return ("/" if name.startswith("/") else "") + inner + ("/" if inner and name.endswith("/") else "")


def name_problem(name: str) -> Message | None:
    """Why the tidy ``name`` must not be taken, or None: it has to stay inside the archive's own folder."""
    if not name.strip("/"):
        return message("it has no name")
    if name.startswith("/") or _DRIVE.match(name):
        return message("its name is an absolute path ({name})", name=name)
    if ".." in name.split("/"):
        return message("its name leads out of the archive ({name})", name=name)
    return None


def is_junk(name: str) -> bool:
    """Whether ``name`` is something that computers leave behind and nobody hands in."""
    parts = name.rstrip("/").split("/")
    return not JUNK_FOLDERS.isdisjoint(parts) or parts[-1] in JUNK_FILES or parts[-1].startswith("._")
