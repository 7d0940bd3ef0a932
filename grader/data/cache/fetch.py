"""A set fetched: source by source, converted and looked at in a folder of its own, and only then put into its place."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from grader.data.cache.content_checks import content_problems
from grader.data.cache.converters.dispatch import CONVERT
from grader.data.cache.converters.packages import Material
from grader.data.cache.download import Downloader, is_abandoned
from grader.data.cache.index import Fingerprint, Record, fingerprint, read_record, write_record
from grader.data.cache.known_sets import KnownSet, Package, Source
from grader.data.cache.location import PHOTOS
from grader.data.cache.progress import Reporter
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError, GraderError, OutputError

DOWNLOADS = "downloads"
REPLACEMENTS = 5
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STAGING = re.compile(r"\.staging-(\d+)-.*")


@dataclass(frozen=True, slots=True)
class Fetching:
    """``downloader`` may be another for tests; its folder is where files brought by hand are looked for first."""

    library: Path
    report: Reporter = field(default_factory=Reporter)
    downloader: Downloader | None = None

    @property
    def downloads(self) -> Path:
        return self.library / DOWNLOADS

    def fetch(self, entry: KnownSet) -> Record:
        """From the first source that has it. Raises DatasetError when none has, with what to do then."""
        with _plainly_said(entry, self.library):
            self._make_room(entry)
            for source in entry.sources:
                self.report.say(message("{name}: trying {source} …", name=entry.name, source=source.by))
                try:
                    record = self._from(source, entry)
                except GraderError as error:
                    self.report.say(message("{source}: {reason}", source=source.by, reason=error.message))
                else:
                    return record
        raise DatasetError(self._what_to_do(entry))

    def fetch_local(self, entry: KnownSet, path: Path) -> Record:
        """From a file or folder that somebody brought: whichever form of the set it is."""
        given = given_files(path)
        problems: list[Message] = []
        with _plainly_said(entry, self.library):
            self._make_room(entry)
            for source in _by_likelihood(entry, given):
                try:
                    return self._accept(entry, replace(source, by=str(path), packages=()), given)
                except GraderError as error:
                    problems.append(error.message)
        first = problems[0] if problems else message("nothing was found")
        wanted = ", ".join(package.name for source in entry.sources for package in source.packages)
        raise DatasetError(
            message(
                "{path} is not {name}: {problem}. Expected one of {wanted}, or a folder with what is in it.",
                path=path,
                name=entry.name,
                problem=first,
                wanted=wanted,
            )
        )

    def _from(self, source: Source, entry: KnownSet) -> Record:
        downloader = self.downloader or Downloader(self.downloads, self.report.measured)
        given: dict[str, Path] = {}
        done = False
        try:
            for package in source.packages:
                given[package.name] = downloader.fetch(package)
            record = self._accept(entry, source, given)
            done = True
            return record
        finally:
            for package in source.packages:
                path = given.get(package.name)
                if path is not None:
                    _put_away(path, package, downloader, used=done)

    def _accept(self, entry: KnownSet, source: Source, given: Mapping[str, Path]) -> Record:
        """Converted, looked at, put into its place, and recorded."""
        with self._staging() as staging:
            made, scratch = staging / "made", staging / "scratch"
            made.mkdir()
            scratch.mkdir()
            material = Material(entry, given, scratch, made, source.inside)
            self.report.say(message("{name}: unpacking and checking …", name=entry.name))
            try:
                convert(source.form, material)
            finally:  # what was left out may be why it failed
                for note in material.notes:
                    self.report.say(note)
            problems = content_problems(entry, made)
            if problems:
                raise DatasetError(problems[0])
            files = {place: fingerprint(made / place) for place in _files_in(made)}
            _put_into_place(made, self.library, staging)
        self._clear_earlier(entry, files)
        addresses = tuple(package.urls[0] for package in source.packages)
        record = Record(entry.name, source.by, date.today().isoformat(), files, addresses)
        write_record(record, self.library)
        return record

    def _clear_earlier(self, entry: KnownSet, files: Mapping[str, Fingerprint]) -> None:
        """What another source had beside these: a word index numbers the words of its own reviews alone."""
        try:
            earlier = read_record(entry.name, self.library)
        except ValueError:
            return
        for place in earlier.files.keys() - files.keys() if earlier else ():
            (self.library / place).unlink(missing_ok=True)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """A folder in the library, so that its files need only be renamed; what others left there is cleared away."""
        for path in self.library.glob(".staging-*"):
            found = _STAGING.fullmatch(path.name)
            if found and is_abandoned(found[1]):
                shutil.rmtree(path, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            dir=self.library, prefix=f".staging-{os.getpid()}-", ignore_cleanup_errors=True
        ) as staging:
            yield Path(staging)

    def _make_room(self, entry: KnownSet) -> None:
        self.library.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.library).free
        if free < entry.megabytes * 1_000_000:
            raise DatasetError(_no_room(entry, self.library, free))

    def _what_to_do(self, entry: KnownSet) -> Message:
        best = min(entry.sources, key=lambda source: (len(source.packages), source.bytes))
        return message(
            "{name} could not be fetched. Bring {addresses} here on a stick, put it into {folder} and run this again; "
            "or say where it is: grader data fetch {name} --from PATH",
            name=entry.name,
            addresses=" + ".join(package.urls[0] for package in best.packages),
            folder=self.downloads,
        )


def _put_away(path: Path, package: Package, downloader: Downloader, *, used: bool) -> None:
    """What is known to be right is kept for another try; what somebody brought stays in any case."""
    if path.name == package.name:
        return
    if used or package.hash is None:
        path.unlink(missing_ok=True)
    else:
        downloader.give_back(path, package)


def convert(form: str, material: Material) -> None:
    """The conversion of that name; whatever a damaged package makes it run into becomes a DatasetError."""
    try:
        CONVERT[form](material)
    except OutputError as error:
        raise error.__cause__ or error from None
    except GraderError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and (error.errno is not None or _is_full(error)):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise DatasetError(message("cannot be read as {form}: {reason}", form=form, reason=reason)) from error


def given_files(path: Path) -> dict[str, Path]:
    """One file by its name, or every file of a folder by its place in it."""
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise DatasetError(message("{path}: there is no such file or folder", path=path))
    return {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}


def _by_likelihood(entry: KnownSet, given: Mapping[str, Path]) -> list[Source]:
    """First the source whose package bears a given name; each form once."""
    names = {name.rpartition("/")[2] for name in given}
    ranked = sorted(entry.sources, key=lambda source: not names & {package.name for package in source.packages})
    return list({source.form: source for source in ranked}.values())


def _files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _put_into_place(made: Path, library: Path, staging: Path) -> None:
    """Each file in one step; a set of photos as one folder, so that nobody ever sees part of one."""
    for folder in (made / PHOTOS).glob("*"):
        _replace_folder(folder, library / PHOTOS / folder.name, staging)
    for place in _files_in(made):
        target = library / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (made / place).replace(target)


def _replace_folder(folder: Path, target: Path, staging: Path) -> None:
    """A folder cannot take a full one's place, and another fetch may put one there meanwhile."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for attempt in range(REPLACEMENTS):
        with suppress(FileNotFoundError):
            target.replace(staging / f"before-{attempt}")
        try:
            folder.replace(target)
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or attempt == REPLACEMENTS - 1:
                raise
        else:
            return


@contextmanager
def _plainly_said(entry: KnownSet, library: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _is_full(error):
            raise DatasetError(_no_room(entry, library, shutil.disk_usage(library).free)) from error
        reason = error.strerror or str(error)
        place = error.filename or library
        raise DatasetError(message("{path} cannot be used: {reason}", path=place, reason=reason)) from error


def _is_full(error: OSError) -> bool:
    """HDF5 says it in the text alone."""
    return error.errno in FULL or f"errno = {errno.ENOSPC}" in str(error)


def _no_room(entry: KnownSet, library: Path, free: int) -> Message:
    return message(
        "{name}: the disk is full: {free:.0f} MB are free at {path}, {needed} MB are needed, and as much again for a "
        "moment. Nothing was kept; make room and run this again.",
        name=entry.name,
        free=free / 1e6,
        path=library,
        needed=entry.megabytes,
    )
