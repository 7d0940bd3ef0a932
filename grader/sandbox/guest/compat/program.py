"""A call of a command: its arguments, output and notes. Standard library only."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from .handout import FileFinder, Handout
from .notes import Kind

NOTES = "notes.jsonl"
HANDOUT = "handout.json"  # in the commands' folder
NOT_FOUND = 127  # exit status of a shell


@dataclass
class Options:
    """Parsed arguments: ``values`` and ``flags`` by the option's name without dashes, and the ``rest``."""

    values: dict[str, str] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    rest: list[str] = field(default_factory=list)

    def value(self, *names: str) -> str | None:
        """Return the value of the first of ``names`` that was given."""
        return next((self.values[name] for name in names if name in self.values), None)


class Program:
    """A call of the command ``name`` with ``arguments``; its notes go to ``folder``."""

    def __init__(self, job: Path, folder: Path, name: str, arguments: list[str]) -> None:
        self.job, self.folder, self.name, self.arguments = job, folder, name, arguments

    @cached_property
    def handout(self) -> Handout:
        return Handout.read(self.job, self.folder / HANDOUT)

    @cached_property
    def finder(self) -> FileFinder:
        return FileFinder(self.job, self.handout)

    def print(self, text: str) -> None:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()  # keeps the order with the error stream

    def print_error(self, text: str) -> None:
        sys.stderr.write(f"{text}\n")

    def note(self, kind: Kind, found: str, used: str = "") -> None:
        """Append a note to the file that the kernel reads."""
        line = json.dumps({"kind": kind.value, "found": found[:300], "used": used[:300]})
        with (self.folder / NOTES).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")

    def first_word(self) -> str:
        """Return the first argument that is no option, such as "install"; "" if there is none."""
        return next((word for word in self.arguments if not word.startswith("-")), "")

    def options(self, with_value: Collection[str]) -> Options:
        """Parse ``-O file``, ``-Ofile``, ``-qO file``, ``--name file``, ``--name=file``.

        ``with_value`` are the names of the options that have a value.
        """
        options, words = Options(), list(self.arguments)
        while words:
            word = words.pop(0)
            if word.startswith("--"):
                name, equals, value = word[2:].partition("=")
                if equals or (name in with_value and words):
                    options.values[name] = value if equals else words.pop(0)
                else:
                    options.flags.add(name)
            elif word.startswith("-") and len(word) > 1:
                self._parse_letters(word[1:], words, with_value, options)
            else:
                options.rest.append(word)
        return options

    @staticmethod
    def _parse_letters(letters: str, words: list[str], with_value: Collection[str], options: Options) -> None:
        for index, letter in enumerate(letters):
            if letter in with_value:
                attached = letters[index + 1 :]
                options.values[letter] = attached or (words.pop(0) if words else "")
                return
            options.flags.add(letter)

    def run_installed(self, arguments: list[str]) -> int:
        """Replace this process by the installed program of this name; return NOT_FOUND if there is none."""
        folders = [part for part in os.environ.get("PATH", "").split(os.pathsep) if Path(part) != self.folder]
        path = shutil.which(self.name, path=os.pathsep.join(folders))
        if path is not None:
            sys.stdout.flush()
            os.execv(path, [self.name, *arguments])  # noqa: S606
        self.print_error(f"{self.name}: this program is not installed here")
        return NOT_FOUND

    def existing(self, path: str) -> str:
        """Return ``path``; if it is missing, note and return the handed-out file or folder of its name."""
        found = None if os.path.lexists(path) else self.finder.file(path) or self.finder.folder(path)
        if found is None:
            return path
        self.note(Kind.FILE, path, self.finder.shown(found))
        return found
