"""cp and unzip: what they read may be named by a path that only exists elsewhere. Standard library only."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from .program import Program

FAILED = 9  # as unzip says it: the archive was not found


def cp(program: Program) -> int:
    """The machine's own; all names but the last are read."""
    words = list(program.words)
    names = [place for place, word in enumerate(words) if not word.startswith("-")]
    for place in names[:-1]:
        words[place] = program.existing(words[place])
    return program.real(words)


def unzip(program: Program) -> int:
    """The machine's own where there is one; an archive is always overwritten, since nobody can be asked."""
    words = list(program.words)
    first = next((place for place, word in enumerate(words) if not word.startswith("-")), None)
    if first is None:
        program.complain("unzip: no archive was given")
        return FAILED
    words[first] = program.existing(words[first])
    if shutil.which("unzip", path="/usr/local/bin:/usr/bin:/bin") is not None:
        asks = not {"-n", "-l", "-t", "-p", "-v", "-Z"} & set(words)
        return program.real(["-o", *words] if asks else words)
    options = program.options(("d", "x"))
    archive = Path(words[first])
    if not archive.is_file():
        program.complain(f"unzip: cannot find {archive}")
        return FAILED
    with zipfile.ZipFile(archive) as opened:
        if "l" in options.flags:
            program.say("\n".join(opened.namelist()))
            return 0
        opened.extractall(options.value("d") or ".", members=options.rest[1:] or None)
    if "q" not in options.flags:
        program.say(f"{archive}: unpacked")
    return 0
