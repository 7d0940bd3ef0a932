"""Replacements for the library's files that hold hidden rows, as a notebook sees them.

In the file that Keras opens, every hidden image is replaced by another image of the same class. Shapes and labels stay
as they are, so nothing shows which rows are missing. Every other file or folder named like the set is seen empty.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.data.public_sets.definitions import SetDefinition
from grader.data.public_sets.hidden_rows import Images
from grader.data.tables import ARRAYS, read_arrays
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError


def withhold(library: Path, definition: SetDefinition, workspace: Path) -> dict[str, Path]:
    """Return path in the library -> an empty file or folder, for everything named like the set."""
    empty_folder, empty_file = workspace / "empty", workspace / "nothing"
    empty_folder.mkdir(parents=True, exist_ok=True)
    empty_file.touch()
    return {
        path.relative_to(library).as_posix(): empty_folder if path.is_dir() else empty_file
        for path in _named_like(library, definition)
    }


def _named_like(folder: Path, definition: SetDefinition) -> Iterator[Path]:
    """Yield matching paths; a matching folder covers everything below it."""
    for path in sorted(folder.iterdir()):
        if definition.names.match(path.name):
            yield path
        elif path.is_dir():
            yield from _named_like(path, definition)


def rewrite_test_part(
    library: Path, definition: SetDefinition, test: Images, shown: Images, *, workspace: Path
) -> dict[str, Path]:
    """Copy the file that Keras opens, with ``shown`` in place of ``test``; return its path in the library -> the copy.

    The result is empty when the library has no such file. Raises DatasetError when the file does not contain ``test``.
    """
    source, target = library / definition.rewritten, workspace / Path(definition.rewritten).name
    if not source.is_file():
        return {}
    write = _rewrite_arrays if source.suffix == ARRAYS else _rewrite_archive
    try:
        found = write(source, target, test, shown)
    except (OSError, tarfile.TarError) as error:
        raise _unusable(source, str(error)) from error
    if not found:
        raise _unusable(source, message("its test images are not in the expected place"))
    return {definition.rewritten: target}


def _unusable(source: Path, reason: Message | str) -> DatasetError:
    return DatasetError(
        message(
            "{path}: hidden rows cannot be removed from this file ({reason}); delete it and run: grader data fetch, "
            "then grader data verify",
            path=source, reason=reason,
        )
    )  # fmt: skip


def _rewrite_arrays(source: Path, target: Path, test: Images, shown: Images) -> bool:
    arrays = read_arrays(source)
    places = [name for name, array in arrays.items() if np.array_equal(array, test)]
    np.savez(target, **(arrays | dict.fromkeys(places, shown)))  # type: ignore[arg-type]
    return bool(places)


def _rewrite_archive(source: Path, target: Path, test: Images, shown: Images) -> bool:
    """Rewrite a tar of pickled batches without unpickling: labels and sizes stay, so bytes are replaced in place."""
    old, new = (np.moveaxis(images, -1, 1).tobytes() for images in (test, shown))  # CIFAR's batches: channels first
    first, found = old[: test[0].size], False
    with tarfile.open(source) as archive, tarfile.open(target, "w") as rewritten:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            data = file.read() if file is not None else b""
            at = data.find(first)
            if at >= 0 and data[at : at + len(old)] == old:
                data, found = data[:at] + new + data[at + len(old) :], True
            rewritten.addfile(member, io.BytesIO(data))
    return found
