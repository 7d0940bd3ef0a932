"""What a notebook gets in place of the library's files that hold hidden rows.

The file that Keras opens has, at the place of every hidden picture, another of the same class: its shapes and labels
stay as they are, so nothing tells which rows are missing. Everything else that is called like the set is there empty.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from grader.data.public_sets.definitions import Known
from grader.data.public_sets.perturbation import Pictures
from grader.data.tables import ARRAYS, read_arrays
from grader.models.errors import DatasetError


def withheld(library: Path, known: Known, workspace: Path) -> dict[str, Path]:
    """Path in the library -> an empty file or folder, for all that is called like the set."""
    empty, nothing = workspace / "empty", workspace / "nothing"
    empty.mkdir(parents=True, exist_ok=True)
    nothing.touch()
    return {
        path.relative_to(library).as_posix(): empty if path.is_dir() else nothing for path in _called_so(library, known)
    }


def _called_so(folder: Path, known: Known) -> Iterator[Path]:
    """Nothing below what is found: it is covered whole."""
    for path in sorted(folder.iterdir()):
        if known.names.match(path.name):
            yield path
        elif path.is_dir():
            yield from _called_so(path, known)


def rewritten(library: Path, known: Known, test: Pictures, shown: Pictures, workspace: Path) -> dict[str, Path]:
    """The file that Keras opens with ``shown`` in the place of ``test``; none where the library has no such file.

    Raises DatasetError when the test part is not found in it.
    """
    source, target = library / known.rewritten, workspace / Path(known.rewritten).name
    if not source.is_file():
        return {}
    write = _rewrite_arrays if source.suffix == ARRAYS else _rewrite_archive
    try:
        found = write(source, target, test, shown)
    except (OSError, tarfile.TarError) as error:
        raise _unusable(source, str(error)) from error
    if not found:
        raise _unusable(source, "its test pictures are not where they are expected")
    return {known.rewritten: target}


def _unusable(source: Path, reason: str) -> DatasetError:
    return DatasetError(
        f"{source}: hidden rows cannot be taken out of this file ({reason}); "
        "remove it and run: grader data fetch, then grader data verify"
    )


def _rewrite_arrays(source: Path, target: Path, test: Pictures, shown: Pictures) -> bool:
    arrays = read_arrays(source)
    places = [name for name, array in arrays.items() if np.array_equal(array, test)]
    np.savez(target, **(arrays | dict.fromkeys(places, shown)))  # type: ignore[arg-type]
    return bool(places)


def _rewrite_archive(source: Path, target: Path, test: Pictures, shown: Pictures) -> bool:
    """A tar of pickled batches. Nothing is unpickled: as labels and sizes stay, bytes are exchanged for bytes."""
    old, new = (np.moveaxis(pictures, -1, 1).tobytes() for pictures in (test, shown))  # CIFAR's batches: channels first
    first, found = old[: test[0].size], False
    with tarfile.open(source) as archive, tarfile.open(target, "w") as written:
        for member in archive:
            file = archive.extractfile(member) if member.isfile() else None
            data = file.read() if file is not None else b""
            at = data.find(first)
            if at >= 0 and data[at : at + len(old)] == old:
                data, found = data[:at] + new + data[at + len(old) :], True
            written.addfile(member, io.BytesIO(data))
    return found
