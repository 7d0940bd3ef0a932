"""Notebooks and archives for tests, made as the LMSs make them, and what was read from them."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.models.submission import Submission


def notebook_bytes(*sources: str, **changes: Any) -> bytes:
    """Build a valid notebook of code cells; ``changes`` replace top-level entries."""
    cells: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        for n, source in enumerate(sources or ("x = 1",))
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    whole = {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells} | changes
    return json.dumps(whole, ensure_ascii=False).encode("utf-8", "surrogatepass")


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Build a zip; names ending in ``/`` are folders."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2026, 3, 5, 23, 59, 58)), content, zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def write_zip(path: Path, files: Mapping[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(zip_bytes(files))
    return path


def unflagged_zip(names: Mapping[bytes, bytes]) -> bytes:
    """Build a zip whose names are raw bytes without a declared encoding, as Windows writes them."""
    stand_ins = {f"{number:0{len(raw)}d}": raw for number, raw in enumerate(names)}
    made = zip_bytes({stand_in: names[raw] for stand_in, raw in stand_ins.items()})
    for stand_in, raw in stand_ins.items():
        assert made.count(stand_in.encode()) == 2, "a stand-in occurs elsewhere in the archive"
        made = made.replace(stand_in.encode(), raw)
    return made


def windows_zip(files: Mapping[str, bytes], encoding: str = "cp950") -> bytes:
    """A zip as Windows packs it: names in its own code page where that has them, without word of it, else in UTF-8."""
    stand_ins: dict[bytes, bytes] = {}
    names: dict[str, bytes] = {}
    for name, content in files.items():
        try:
            raw = name.encode(encoding)
        except UnicodeEncodeError:
            raw = b""
        stand_in = f"~{len(names)}~".ljust(len(raw), "~") if len(raw) > 8 and not raw.isascii() else name
        names[stand_in] = content
        if stand_in != name:
            stand_ins[stand_in.encode()] = raw
    made = zip_bytes(names)
    for stand_in_raw, raw in stand_ins.items():
        assert made.count(stand_in_raw) == 2, "a stand-in occurs elsewhere in the archive"
        made = made.replace(stand_in_raw, raw)
    return made


def write_tar(path: Path, files: Mapping[str, bytes], *links: tarfile.TarInfo, form: str = "gz") -> Path:
    with tarfile.open(path, f"w:{form}") as archive:  # type: ignore[call-overload]
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(content), 1_770_000_000
            archive.addfile(member, io.BytesIO(content))
        for link in links:
            archive.addfile(link)
    return path


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, content in files.items():
        target = path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if not name.endswith("/"):
            target.write_bytes(content)
        else:
            target.mkdir(exist_ok=True)
    return path


def moodle_name(student: str, number: int | None, file: str, *, flat: bool = False, typed: bool = False) -> str:
    """Return an entry's name in "Download all submissions"; ``number`` is None for users without a group."""
    kind = "onlinetext" if typed else "file"
    prefix = student if number is None else f"{student}_{number}"
    return f"{prefix}_assignsubmission_{kind}{'_' if flat else '/'}{file.replace('/', '_') if flat else file}"


def canvas_name(slug: str, user: int | str, upload: int, file: str, *, late: bool = False) -> str:
    """Return an entry's name in "Download submissions"; an anonymous student's ``slug`` is "anon"."""
    if slug == "anon":
        return f"{'LATE_' if late else ''}anon_{user}_{upload}_{file}"
    return f"{slug}{'_LATE' if late else ''}_{user}_{upload}_{file}"


def by_name(submissions: Iterable[Submission]) -> dict[str, Submission]:
    """Return the submissions by their student's name; no two may share one."""
    found = list(submissions)
    named = {submission.student.name: submission for submission in found}
    assert len(named) == len(found)
    return named


def said(one: Submission) -> str:
    """All that the submission tells people, a line each."""
    return "\n".join(map(str, (*one.notes, one.problem or "")))
