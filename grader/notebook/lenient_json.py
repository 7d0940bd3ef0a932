"""Text and JSON from an untrusted file in any encoding, with limits on size and nesting."""

from __future__ import annotations

import gc
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from grader.files import filetype
from grader.i18n.message import Message, message

# Together these limits keep the memory for one file near a gigabyte.
_MAX_CONTAINERS = 2_000_000
_MAX_COMMAS = 10_000_000
_MAX_DEPTH = 100
# A notebook with more values is reduced, and its repeated keys are not looked for: both would take many seconds.
_MANY_CONTAINERS, _MANY_COMMAS = 200_000, 2_000_000

_SURROGATE = re.compile(r"[\ud800-\udfff]")


class UnusableError(Exception):
    """The file is not a notebook. ``message`` tells what it is instead."""

    def __init__(self, message: Message) -> None:
        self.message = message
        super().__init__(str(message))


def _not_a_notebook(kind: Message) -> UnusableError:
    return UnusableError(
        message("This is {kind}, not a notebook. Hand in the .ipynb file that Jupyter or Colab saves.", kind=kind)
    )


# ---------------------------------------------------------------- text


def decode(data: bytes, notes: list[Message]) -> str:
    """Return the text in ``data``. Raise ``UnusableError`` for another kind of file."""
    if not data.strip(b" \t\r\n\0"):
        raise _not_a_notebook(filetype.kind(b""))
    kind = filetype.binary_kind(data)
    if kind is not None:
        raise _not_a_notebook(kind)
    utf16 = _utf16(data)
    if utf16 is not None:
        notes.append(message("The file was read as UTF-16. Notebooks should be UTF-8."))
        return data.decode(utf16, "replace").removeprefix("\ufeff")
    if data.startswith(b"\xef\xbb\xbf"):
        notes.append(message("A byte order mark at the start of the file was removed."))
        data = data[3:]
    for encoding in ("utf-8", "cp950"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "utf-8":
            notes.append(message("The file was read as Big5. Notebooks should be UTF-8."))
        return text
    text = data.decode("utf-8", "replace")
    if "\0" in text or text.count("\ufffd") > len(text) // 8:
        raise _not_a_notebook(filetype.kind(data[: filetype.HEAD_BYTES]))
    notes.append(message("Some bytes of the file are not text; they are shown as \ufffd."))
    return text


def _utf16(data: bytes) -> str | None:
    if data.startswith((b"\xff\xfe", b"{\0")):
        return "utf-16-le"
    return "utf-16-be" if data.startswith((b"\xfe\xff", b"\0{")) else None


# ---------------------------------------------------------------- JSON


def load_json(text: str, notes: list[Message], *, many: bool) -> object:
    """Return the value of JSON text that may have control characters in strings. Raise ``UnusableError`` otherwise.

    With ``many`` values (``has_many_values``), repeated keys are not looked for.
    """
    repeated_keys: list[str] = []

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            repeated_keys.extend(key for key, count in Counter(key for key, _value in items).items() if count > 1)
        return found

    try:
        with _no_garbage_collection():
            value = json.loads(text, object_pairs_hook=None if many else pairs)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        repeated_keys.clear()
        value = _load_leniently(text, pairs)
        notes.append(message("Line breaks or control characters inside strings of the file were kept."))
    if repeated_keys:
        notes.append(
            message(
                "The key {key} occurs twice in one object of the file; the later value was used.",
                key=repeated_keys[0][:40],
            )
        )
    return value


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    """Suspend the search for cycles, which parsed JSON has none of: it takes most of the time for a million values."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _load_leniently(text: str, pairs: Any) -> object:
    try:
        return json.loads(text, strict=False, object_pairs_hook=pairs)
    except RecursionError:
        raise _too_deep() from None
    except json.JSONDecodeError as error:
        kind = filetype.text_kind(text)
        if kind != filetype.BROKEN_JSON:
            raise _not_a_notebook(kind) from None
        raise UnusableError(
            message(
                "The notebook is cut off or damaged: {reason} in line {line}. Save it again in Jupyter or Colab.",
                reason=error.msg,
                line=error.lineno,
            )
        ) from None
    except ValueError:  # a number with more digits than Python converts
        raise _not_a_notebook(filetype.BROKEN_JSON) from None


def unambiguous_json(text: str, *, many: bool = False) -> object:
    """Return the value of strict JSON without repeated keys; NaN is allowed. Raise ``UnusableError`` otherwise.

    With ``many`` values (``has_many_values``), repeated keys are not looked for.
    """

    def pairs(items: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(items)
        if len(found) < len(items):
            raise ValueError("repeated key")
        return found

    try:
        with _no_garbage_collection():
            return json.loads(text, object_pairs_hook=None if many else pairs)
    except RecursionError:
        raise _too_deep() from None
    except ValueError:
        raise _not_a_notebook(filetype.BROKEN_JSON) from None


def has_many_values(text: str) -> bool:
    """Return whether JSON text holds so many values that a notebook has to be reduced.

    Raise ``UnusableError`` if there are so many that they cannot be read.
    """
    containers, commas = text.count("[") + text.count("{"), text.count(",")
    if containers > _MAX_CONTAINERS or commas > _MAX_COMMAS:
        raise UnusableError(message("The notebook holds millions of values. Clear its outputs and save it again."))
    return containers > _MANY_CONTAINERS or commas > _MANY_COMMAS


def _too_deep() -> UnusableError:
    return UnusableError(message("The notebook's data are nested more than {limit} levels deep.", limit=_MAX_DEPTH))


def clean(value: object, repairs: Counter[str], depth: int = 0) -> object:
    """Return ``value`` without numbers and characters that JSON or UTF-8 cannot represent.

    Raise ``UnusableError`` if it is nested too deeply.
    """
    if isinstance(value, str):
        if value.isascii() or not _SURROGATE.search(value):
            return value
        repairs["characters"] += 1
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, float) and not math.isfinite(value):
        repairs["numbers"] += 1
        return None
    if depth >= _MAX_DEPTH and isinstance(value, list | dict):
        raise _too_deep()
    if isinstance(value, list):
        return [clean(item, repairs, depth + 1) for item in value]
    if isinstance(value, dict):
        return {clean(key, repairs, depth + 1): clean(item, repairs, depth + 1) for key, item in value.items()}
    return value
