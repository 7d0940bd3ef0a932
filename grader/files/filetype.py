"""Recognize file types by their first bytes; file names are not used."""

from __future__ import annotations

import re
from collections.abc import Callable

from grader.i18n.message import Message, message

HEAD_BYTES = 4096  # enough to recognize every known type
BROKEN_JSON = message("broken JSON")

_MAGIC = (
    (b"%PDF-", message("a PDF document")),
    (b"Rar!\x1a\x07", message("a RAR archive")),
    (b"7z\xbc\xaf\x27\x1c", message("a 7z archive")),
    (b"\x1f\x8b", message("a gzip file")),
    (b"BZh", message("a bzip2 file")),
    (b"\xfd7zXZ\x00", message("an xz file")),
    (b"\x00\x05\x16\x07", message("a macOS companion file (AppleDouble)")),
    (b"\x89PNG\r\n\x1a\n", message("a PNG image")),
    (b"\xff\xd8\xff", message("a JPEG image")),
    (b"GIF8", message("a GIF image")),
    (b"\x89HDF\r\n\x1a\n", message("an HDF5 file, such as a saved model")),
    (b"\x93NUMPY", message("a NumPy array")),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", message("an old Office document")),
    (b"MZ", message("a Windows program")),
    (b"\x7fELF", message("a Linux program")),
)
_ZIPPED_OFFICE = (
    (b"word/", message("a Word document")),
    (b"ppt/", message("a PowerPoint document")),
    (b"xl/", message("an Excel document")),
    (b"mimetypeapplication/vnd.oasis", message("an OpenDocument file")),
    (b"metadata.json", message("a saved Keras model")),
)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_HTML = re.compile(r"<!doctype\s+html|<html\b|<head\b|<body\b", re.IGNORECASE)
# Three patterns, because one pattern for all markers would take quadratic time on a hostile file.
_CONFLICT = tuple(re.compile(marker, re.MULTILINE) for marker in (r"^<{7} ", r"^={7}\r?$", r"^>{7} "))
_LINK = re.compile(r"https?://\S+\s*\Z|\[InternetShortcut\]", re.IGNORECASE)
_PLACEHOLDER = "version https://git-lfs.github.com/"
_PYTHON = re.compile(
    r"^(?:import \w|from [\w.]+ import |def \w+\(|class \w+|print\(|#!.*python|# coding|# -\*-|# %%|# In\[)",
    re.MULTILINE,
)


def binary_kind(data: bytes) -> Message | None:
    """Return the type of a binary file from its first bytes, in words that fit after "This is"; None for text."""
    if data.startswith(_ZIP):
        office = (kind for marker, kind in _ZIPPED_OFFICE if marker in data[:HEAD_BYTES])
        return next(office, message("a zip archive"))
    if data[257:262] == b"ustar":
        return message("a tar archive")
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return message("a WebP image")
    if data[4:12] in (b"ftypheic", b"ftypheix", b"ftypmif1"):
        return message("a HEIC image")
    if data[1:4] == b"PNG" and data[0] == 0x89:
        return message("a PNG image")
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


# The order matters: a web page may contain a script, and a notebook with conflicts starts like JSON.
_TEXTS: tuple[tuple[Callable[[str], object], Message], ...] = (
    (lambda text: not text.strip(), message("an empty file")),
    (lambda text: text.lstrip().startswith("<") and _HTML.search(text[:HEAD_BYTES]), message("a web page (HTML)")),
    (
        lambda text: all(marker.search(text) for marker in _CONFLICT),
        message("a file with unresolved merge conflicts (<<<<<<< and >>>>>>>)"),
    ),
    (lambda text: _LINK.match(text.lstrip()), message("a link, perhaps to the notebook")),
    (lambda text: text.startswith(_PLACEHOLDER), message("a placeholder of Git LFS")),
    (lambda text: text.lstrip().startswith(("{", "[")), BROKEN_JSON),
    (_PYTHON.search, message("a Python script")),
)


def text_kind(text: str) -> Message:
    """Return the type of a text that should be JSON and is not."""
    return next((kind for fits, kind in _TEXTS if fits(text)), message("plain text"))


def kind(data: bytes) -> Message:
    """Return the probable type of a file from its first bytes. Never raises."""
    if not data:
        return message("an empty file")
    known = binary_kind(data)
    if known is not None:
        return known
    text = data.decode("utf-8", "replace")
    if text.count("\ufffd") + text.count("\0") > len(text) // 8:
        return message("a file of unknown kind")
    return message("JSON text") if text.lstrip().startswith("{") else text_kind(text)


def is_document_archive(data: bytes) -> bool:
    """Return whether ``data`` starts a zip that is a single document, such as a Word file or a saved model."""
    return data.startswith(_ZIP) and any(marker in data[:HEAD_BYTES] for marker, _kind in _ZIPPED_OFFICE)
