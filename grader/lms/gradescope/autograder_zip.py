"""An autograder's zip as Gradescope wants it: ``setup.sh`` and ``run_autograder`` at its top, both to be run."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

RETURNING = Path(__file__).parent / "returning"
_PROGRAMS = ("setup.sh", "run_autograder")
_MADE = (1980, 1, 1, 0, 0, 0)  # the same content is the same zip


def program(folder: Path) -> dict[str, bytes]:
    """Both files from ``folder``; with line ends as bash needs them, wherever they were checked out."""
    return {name: (folder / name).read_bytes().replace(b"\r\n", b"\n") for name in _PROGRAMS}


def packed(files: Mapping[str, bytes]) -> bytes:
    """A zip of ``files`` by their name in it: what is run may be run by all, the rest is its owner's alone."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, _MADE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if name in _PROGRAMS else 0o100600) << 16
            archive.writestr(entry, data)
    return target.getvalue()
