"""One call of a command: its words, where it runs, and how it speaks. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .files import Finder
from .kinds import Kind
from .sources import Handout

NOTES = "notes.jsonl"
NOT_FOUND = 127  # as a shell says it


@dataclass
class Options:
    """``values`` by the option's name without dashes; ``flags`` the same; ``rest`` are the words of no option."""

    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)

    def value(self, *names: str) -> str | None:
        return next((self.values[name] for name in names if name in self.values), None)


class Program:
    def __init__(self, job: Path, folder: Path, name: str, words: list[str]) -> None:
        self.job, self.folder, self.name, self.words = job, folder, name, words

    @cached_property
    def handout(self) -> Handout:
        return Handout.read(self.job)

    @cached_property
    def finder(self) -> Finder:
        return Finder(self.job, self.handout)

    def say(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()  # in the order of what was complained of

    def complain(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")

    def note(self, kind: Kind, found: str, used: str = "") -> None:
        line = json.dumps({"kind": kind.value, "found": found[:300], "used": used[:300]})
        with (self.folder / NOTES).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def options(self, valued: Collection[str]) -> Options:
        """``-O file``, ``-Ofile``, ``-qO file``, ``--name file``, ``--name=file``; ``valued`` take a value."""
        found, words = Options(), list(self.words)
        while words:
            word = words.pop(0)
            if word.startswith("--"):
                name, has_value, value = word[2:].partition("=")
                if has_value or (name in valued and words):
                    found.values[name] = value if has_value else words.pop(0)
                else:
                    found.flags.add(name)
            elif word.startswith("-") and len(word) > 1:
                self._cluster(word[1:], words, valued, found)
            else:
                found.rest.append(word)
        return found

    @staticmethod
    def _cluster(letters: str, words: list[str], valued: Collection[str], found: Options) -> None:
        for place, letter in enumerate(letters):
            if letter in valued:
                attached = letters[place + 1 :]
                found.values[letter] = attached or (words.pop(0) if words else "")
                return
            found.flags.add(letter)

    def real(self, words: list[str]) -> int:
        """Becomes the machine's own program of this name; NOT_FOUND where there is none."""
        folders = [part for part in os.environ.get("PATH", "").split(os.pathsep) if Path(part) != self.folder]
        path = shutil.which(self.name, path=os.pathsep.join(folders))
        if path is not None:
            sys.stdout.flush()
            os.execv(path, [self.name, *words])  # noqa: S606
        self.complain(f"{self.name}: this program is not here")
        return NOT_FOUND

    def existing(self, path: str) -> str:
        """``path``; the handed-out file or folder of its name where it leads nowhere."""
        found = None if os.path.lexists(path) else self.finder.file(path) or self.finder.folder(path)
        if found is None:
            return path
        self.note(Kind.FILE, path, self.finder.shown(found))
        return found
