"""Group the entries of an archive by student; entries that belong to no student get a decision of their own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from grader.files.archives.contents import Entry, Refused
from grader.files.archives.entry_names import name_problem, tidy_name
from grader.i18n.message import Message, join_list, message
from grader.lms import folder
from grader.lms.archive.lms_detection import DetectedSource
from grader.lms.archive.shared_files import is_data, packages, sharing_problem
from grader.lms.archive.student_files import MAX_NAMED, StudentFile, StudentUpload, placement_problem
from grader.lms.identity import Owner
from grader.lms.systems import title_of
from grader.models.intake import FileDecision, FileStatus

_FLAT = ("folder", "classroom")
StudentKey = tuple[str, str, str]  # the LMS, or the source's number if the LMS gives no id; the id; the name


@dataclass(frozen=True, slots=True)
class GroupedSource:
    """The upload of each student, the decisions about all other entries, and doubts about the whole class."""

    uploads: dict[StudentKey, StudentUpload]
    decisions: tuple[FileDecision, ...]
    doubts: tuple[Message, ...]


def group_by_student(source: DetectedSource, number: int) -> GroupedSource:
    """Return the entries of source ``number`` by student."""
    groups = _Groups(source, number, _data_for_all(source))
    for entry, listed_entry in zip(source.content.entries, source.whole.entries, strict=True):
        groups.add_entry(entry, listed_entry.name)
    for refused, listed_refused in zip(source.content.refused, source.whole.refused, strict=True):
        groups.add_refused(refused, listed_refused.name)
    for name, listed_name in zip(source.content.skipped, source.whole.skipped, strict=True):
        groups.add_skipped(name, listed_name)
    for name in source.left_out:
        groups.decide(None, name, FileStatus.UNUSED, message("It belongs to another assignment or to the course."))
    groups.share_data()
    return GroupedSource(groups.uploads, tuple(groups.decisions), tuple(groups.doubts))


def _data_for_all(source: DetectedSource) -> set[str]:
    """Return the names beside the notebooks of a flat class folder that belong to no student."""
    names = folder.shared(entry.name for entry in source.content.entries) if source.lms in _FLAT else set()
    return {name for name in names if source.lms == "folder" or source.naming(name) is None}


@dataclass
class _Groups:
    """The uploads found so far in one source, and the decisions about entries of no student."""

    source: DetectedSource
    number: int
    for_all: set[str]
    uploads: dict[StudentKey, StudentUpload] = field(default_factory=dict)
    decisions: list[FileDecision] = field(default_factory=list)
    doubts: list[Message] = field(default_factory=list)  # about the whole class
    _data: list[tuple[Entry, str]] = field(default_factory=list)  # for the whole class, with listed names

    def add_entry(self, entry: Entry, listed_name: str) -> None:
        if entry.name in self.for_all:
            self._data.append((entry, listed_name))
            return
        owner = self._owner(entry.name)
        if owner is None:
            self.decide(None, listed_name, FileStatus.UNUSED, message("Hidden files are not used."))
        elif owner.about:
            self.decide(owner, listed_name, FileStatus.SKIPPED, message("The LMS's own file."))
        else:
            name = owner.rest or entry.name.rsplit("/", 1)[-1]
            upload = self._upload(owner)
            upload.files.append(
                StudentFile(name, entry, owner.order, owner.typed, source=self.number, listed=listed_name,
                            submitted_at=owner.submitted_at, named=owner.named)
            )  # fmt: skip
            if self.source.lms != "folder" and owner.named and not is_data(name):
                upload.doubts.append(
                    message("{name} counts as this student's because of its name, which anyone can choose.", name=name)
                )
            if self.source.lms != "folder" and self.source.naming(entry.name) is None:
                upload.doubts.append(
                    message(
                        "{name} is not named as {lms} names files: it was read as a student of its own.",
                        name=entry.name, lms=title_of(self.source.lms),
                    )
                )  # fmt: skip

    def add_refused(self, refused: Refused, listed_name: str) -> None:
        owner = self._owner(refused.name)
        if owner is not None:
            upload = self._upload(owner)
            upload.refused.append(refused)
            upload.decisions.append(FileDecision(self.number, listed_name, FileStatus.REFUSED, refused.reason))
        else:
            self.decide(None, listed_name, FileStatus.REFUSED, refused.reason)

    def add_skipped(self, name: str, listed_name: str) -> None:
        self.decide(self._owner_of_skipped(name) if name else None, listed_name, FileStatus.SKIPPED)

    def decide(self, owner: Owner | None, name: str, status: FileStatus, reason: Message | None = None) -> None:
        """Record a decision, for the student if ``owner`` names one."""
        decisions = self._upload(owner).decisions if owner is not None and owner.name else self.decisions
        decisions.append(FileDecision(self.number, name, status, reason))

    def share_data(self) -> None:
        """Place data at the top of the class, of an unknown author, beside each notebook at the top."""
        if not self._data:
            return
        folders = packages(entry.name for entry, _listed_name in self._data)
        unplaceable = {entry.name: placement_problem(PurePosixPath(entry.name)) for entry, _listed_name in self._data}
        problems = {
            entry.name: unplaceable[entry.name] or sharing_problem(entry, folders) for entry, _listed_name in self._data
        }
        used = [upload for upload in self.uploads.values() if upload.files and "/" not in upload.files[0].entry.name]
        given = [entry for entry, _listed_name in self._data if used and problems[entry.name] is None]
        self._note_data(given, used)
        for upload in used:
            upload.files += [StudentFile(entry.name, entry) for entry in given]
        for entry, listed_name in self._data:
            problem = problems[entry.name]
            status = FileStatus.FOR_ALL if used and problem is None else FileStatus.UNUSED
            self.decide(None, listed_name, status, problem)
        refused = [name for name, problem in problems.items() if problem is not None and unplaceable[name] is None]
        self._doubt_data(given, refused if used else [])

    def _note_data(self, given: Sequence[Entry], used: Sequence[StudentUpload]) -> None:
        for upload in self.uploads.values():
            if not any(upload is other for other in used):
                names = join_list([entry.name for entry, _listed_name in self._data], most=3)
                upload.notes.append(message("{name} belongs to no student and was not used.", name=names))
            elif given:
                names = join_list([entry.name for entry in given], most=3)
                upload.notes.append(message("{name} was placed beside the notebooks of the class.", name=names))

    def _doubt_data(self, given: Sequence[Entry], refused: Sequence[str]) -> None:
        if given:
            self.doubts.append(
                message(
                    "{names} at the top of the class was given to every notebook there. Check that it is yours: a "
                    "student could have submitted it.",
                    names=join_list([entry.name for entry in given], most=MAX_NAMED),
                )
            )
        if refused:
            self.doubts.append(
                message(
                    "{names} at the top of the class was given to nobody: only data are, because a student could have "
                    "submitted it. Put files that the class needs into the assignment.",
                    names=join_list(refused, most=MAX_NAMED),
                )
            )

    def _upload(self, owner: Owner) -> StudentUpload:
        key = (self.source.lms, owner.key, owner.name) if owner.key else (str(self.number), "", owner.name)
        if key not in self.uploads:
            self.uploads[key] = StudentUpload(owner, self.source.lms, notes=[*owner.notes], doubts=[*owner.notes])
        upload = self.uploads[key]
        if upload.owner.typed:  # the name of an uploaded file tells more than that of a typed text
            upload.owner = replace(owner, late=upload.owner.late, submitted_at=upload.owner.submitted_at)
        upload.add_attempt(owner)
        return upload

    def _owner(self, name: str) -> Owner | None:
        """Return the owner of ``name``; None for hidden files of a class folder.

        A file that does not fit the naming counts as a student of its own, so that a teacher sees it.
        """
        outside = name_problem(name.partition("/")[0]) is not None
        if self.source.lms == "folder" and not outside:
            return self.source.naming(name)
        owner = None if outside or self.source.lms == "folder" else self.source.naming(name)
        return owner or Owner(name=name, rest=name.rsplit("/", 1)[-1], origin=name)

    def _owner_of_skipped(self, name: str) -> Owner | None:
        """Return the owner of a folder or system file: a student may have submitted nothing else."""
        if self.source.lms != "folder":
            return self.source.naming(name)
        top, slash, _rest = name.partition("/")
        if not slash or any(other.startswith(f"{top}/") for other in self.for_all):
            return None
        return folder.parse_name(name)


def rename_after_paths(uploads: Mapping[StudentKey, StudentUpload], paths: Sequence[Path]) -> None:
    """Name students after the folder or archive, if several paths hold one student each with the same name."""
    names = Counter(upload.owner.name for upload in uploads.values())
    students = Counter(source for source, key, _name in uploads if not key)
    for (source, key, name), upload in uploads.items():
        if not key and students[source] == 1 and names[name] > 1:
            path = paths[int(source)].absolute()
            place = path.parent.name if path.is_file() and folder.is_notebook(path.name) else folder.stem(path.name)
            upload.owner = replace(upload.owner, name=tidy_name(place) or name)
