"""wget, curl, gdown, kaggle and git clone: the course's copy where there is one, else a refusal at once.

Standard library only.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from .kinds import Kind
from .program import Options, Program
from .sources import is_remote, last_name, refusal

FAILED, GIT_FAILED = 1, 128
WGET_VALUED = (
    *("O", "output-document", "P", "directory-prefix", "o", "output-file", "U", "user-agent", "header", "t", "tries"),
    *("T", "timeout", "load-cookies", "save-cookies", "post-data", "e"),
)
CURL_VALUED = ("o", "output", "H", "header", "X", "request", "A", "user-agent", "u", "user", "d", "data", "b", "c", "e")


def wget(program: Program) -> int:
    options = program.options(WGET_VALUED)
    name = options.value("O", "output-document")
    folder = Path(options.value("P", "directory-prefix") or ".")
    return _all(program, options, lambda address: name or str(folder / (last_name(address) or "index.html")))


def curl(program: Program) -> int:
    options = program.options(CURL_VALUED)
    name = options.value("o", "output")
    own_name = bool(options.flags & {"O", "remote-name"})
    address = options.values.get("url")
    options.rest += [address] if address else []
    return _all(program, options, lambda address: name or (last_name(address) if own_name else "-"))


def gdown(program: Program) -> int:
    """``gdown ID``, ``gdown --id ID`` and ``gdown ADDRESS``."""
    options = program.options(("O", "output", "id"))
    named = [options.values["id"]] if "id" in options.values else options.rest
    options.rest = [word if is_remote(word) else f"https://drive.google.com/uc?id={word}" for word in named]
    name = options.value("O", "output")
    return _all(program, options, lambda address: name or _own_name(program, address))


def _own_name(program: Program, address: str) -> str:
    """What Drive would call it."""
    path = program.handout.file_for(address)
    return path.name if path else ""


def _all(program: Program, options: Options, target: Callable[[str], str]) -> int:
    addresses = [word if "://" in word else f"https://{word}" for word in options.rest]
    if not addresses:
        program.complain(f"{program.name}: no address was given")
        return FAILED
    return max(_fetch(program, address, target(address)) for address in addresses)


def _fetch(program: Program, address: str, target: str) -> int:
    path = program.handout.file_for(address)
    if path is None or not is_remote(address):
        program.complain(refusal(address))
        return FAILED
    program.note(Kind.DOWNLOAD, address, path.name)
    if target == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(path.read_bytes())
        return 0
    place = Path(target)
    if place.is_dir():
        place /= path.name
    place.parent.mkdir(parents=True, exist_ok=True)
    if not (place.exists() and place.samefile(path)):
        shutil.copyfile(path, place)
    program.say(f"{place}: the course's own {path.name}, in place of {address[:200]}")
    return 0


def kaggle(program: Program) -> int:
    """``kaggle datasets download -d owner/name`` and ``kaggle competitions download -c name``."""
    options = program.options(("d", "dataset", "c", "competition", "p", "path", "f", "file"))
    wanted = options.value("d", "dataset", "c", "competition") or "".join(options.rest[2:3])
    if "download" not in options.rest or not wanted:
        program.complain(refusal(" ".join(["kaggle", *program.words])))
        return FAILED
    file, name = options.value("f", "file"), wanted.rpartition("/")[2]
    folder = Path(options.value("p", "path") or ".")
    for known in filter(None, (file, f"{name}.zip", name)):
        path = program.handout.file_for(known)
        if path is not None:
            return _fetch(program, f"https://www.kaggle.com/{known}", str(folder / path.name))
    program.complain(refusal(f"kaggle {wanted}"))
    return FAILED


def git(program: Program) -> int:
    """Only what needs a network is refused."""
    words = [word for word in program.words if not word.startswith("-")]
    if words[:1] == ["lfs"]:
        return 0
    if words[:1] and words[0] in ("clone", "pull", "fetch", "push") and any(map(_is_repository, words[1:])):
        program.complain(refusal(next(filter(_is_repository, words[1:]))))
        return GIT_FAILED
    return program.real(program.words)


def _is_repository(word: str) -> bool:
    return is_remote(word) or word.startswith(("git@", "git://", "ssh://"))
