"""The teacher's files that lie beside each notebook: data, also in archives, but nothing with tests or solutions.

Archives are recognised and looked into by their content. An archive that cannot be looked into is withheld.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import re
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import IO, Any

from grader.i18n.message import Message, join_list, message

# Names by which submissions, tests and solutions are known, in folders and in archives.
_SECRET = re.compile(
    r".*\.ipynb|otter_config\.json|run_autograder|run_otter\.py|\.otter_log|__zip_filename__|nbgrader_config\.py"
    r"|gradebook\.db|autograded|submitted|solutions?|hidden_?tests?.*"
    r"|(?:.*[-_ ])?(?:sol|solutions?|answers?)\.(?:pdf|py|html|docx)",
    re.IGNORECASE,
)
# Folders whose names alone tell nothing: Python files in them are tests or solutions.
_TESTS = re.compile(r"tests?|source|release", re.IGNORECASE)
_ARCHIVE_NAME = re.compile(r".*\.(?:zip|tar|tgz|gz|bz2|xz|7z|rar)", re.IGNORECASE)
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_OTHER_ARCHIVES = (b"Rar!\x1a\x07", b"7z\xbc\xaf\x27\x1c")
_PACKERS: Mapping[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": lambda file: gzip.GzipFile(fileobj=file),
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\x00": lzma.LZMAFile,
}
_BROKEN = (
    *(OSError, EOFError, ValueError, NotImplementedError, RuntimeError),  # RuntimeError: encrypted
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError),
)
_HEAD = 512
_DEEPEST = 4  # archives inside archives
_MOST_ENTRIES = 200_000
_MOST_BYTES = 2 << 30  # unpacked, of an archive inside another one


def split_files(
    files: Iterable[tuple[str, Path]],
) -> tuple[dict[str, Path], tuple[Message, ...]]:
    """Return the files and folders to hand out, and a warning that lists those that are withheld for their content."""
    given: dict[str, Path] = {}
    withheld: list[str] = []
    for name, path in files:
        if _holds_secrets(path):
            withheld.append(name)
        else:
            given[name] = path
    if not withheld:
        return given, ()
    warning = message(
        "Not given to the notebooks, because tests, solutions or submissions may be inside, or because it cannot be "
        "looked into: {names}. Put data that students need into files and zip archives of their own.",
        names=join_list(withheld[:20]),
    )
    return given, (warning,)


def _holds_secrets(path: Path) -> bool:
    if not path.is_dir():
        return _is_secret([path.name]) or _archive_holds_secrets(path)
    files = list(islice(_files_in(path), _MOST_ENTRIES + 1))
    names = [path.name, *(str(file.relative_to(path.parent)) for file in files)]
    return len(files) > _MOST_ENTRIES or _is_secret(names) or any(map(_archive_holds_secrets, files))


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield the files below ``folder``, also behind links, which only the teacher can have put there."""
    for place, _folders, names in os.walk(folder, followlinks=True):
        yield from (Path(place, name) for name in names)


def _is_secret(names: Iterable[str]) -> bool:
    for name in names:
        *folders, last = PurePosixPath(name.replace("\\", "/")).parts or ("",)
        if any(_SECRET.fullmatch(part) for part in (*folders, last)):
            return True
        if last.endswith(".py") and any(_TESTS.fullmatch(part) for part in folders):
            return True
    return False


# ------------------------------------------------------------------ archives


def _archive_holds_secrets(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
            file.seek(0)
            return (_reader(head) is None and _ARCHIVE_NAME.fullmatch(path.name) is not None) or _looks_secret(
                file, _DEEPEST
            )
    except _BROKEN:
        return True


def _looks_secret(file: IO[bytes], depth: int) -> bool:
    """Return whether ``file`` is an archive with secrets, or one that cannot be looked into."""
    head = file.read(_HEAD)
    file.seek(0)
    reader = _reader(head)
    return reader is not None and (depth == 0 or reader(file, depth))


def _reader(head: bytes) -> Callable[[IO[bytes], int], bool] | None:
    """Return the function that looks into an archive that begins with ``head``; None if it is no archive."""
    if head.startswith(_ZIP):
        return _zip_holds_secrets
    if head[257:262] == b"ustar":
        return _tar_holds_secrets
    if head.startswith(_OTHER_ARCHIVES):
        return lambda _file, _depth: True
    packer = next((opened for magic, opened in _PACKERS.items() if head.startswith(magic)), None)
    return None if packer is None else lambda file, depth: _unpacked_holds_secrets(packer(file), depth)


def _zip_holds_secrets(file: IO[bytes], depth: int) -> bool:
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
        if len(members) > _MOST_ENTRIES or _is_secret(member.filename for member in members):
            return True
        contents = (archive.open(member) for member in members if not member.is_dir())
        return any(_unpacked_holds_secrets(content, depth) for content in contents)


def _tar_holds_secrets(file: IO[bytes], depth: int) -> bool:
    with tarfile.open(fileobj=file, mode="r:") as archive:
        for number, member in enumerate(archive):
            if number > _MOST_ENTRIES or _is_secret([member.name]):
                return True
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and _unpacked_holds_secrets(content, depth):
                return True
    return False


def _unpacked_holds_secrets(content: IO[bytes], depth: int) -> bool:
    """Look into a file inside an archive, which is copied only if it is an archive itself."""
    with content, tempfile.TemporaryFile() as copy:
        block = content.read(_HEAD)
        if _reader(block) is None:
            return False
        while block:
            copy.write(block)
            if copy.tell() > _MOST_BYTES:
                return True
            block = content.read(1 << 20)
        copy.seek(0)
        return _looks_secret(copy, depth - 1)
