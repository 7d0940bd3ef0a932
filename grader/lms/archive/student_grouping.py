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
from grader.lms.archive.student_files import StudentFile, StudentUpload, placement_problem
from grader.lms.identity import Owner
from grader.lms.systems import title_of
from grader.models.intake import FileDecision, FileStatus

_FLAT = ("folder", "classroom")
StudentKey = tuple[str, str, str]  # the LMS, or the source's number if the LMS gives no id; the id; the name


def group_by_student(source: DetectedSource, number: int) -> tuple[dict[StudentKey, StudentUpload], list[FileDecision]]:
    """Return the upload of each student and the decisions about all other entries of source ``number``."""
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
    return groups.uploads, groups.decisions


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
                            submitted_at=owner.submitted_at)
            )  # fmt: skip
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
        """Place data at the top of the class beside each notebook at the top."""
        if not self._data:
            return
        used = False
        names = join_list([entry.name for entry, _listed_name in self._data], most=3)
        for upload in self.uploads.values():
            if not upload.files or "/" in upload.files[0].entry.name:
                upload.notes.append(message("{name} belongs to no student and was not used.", name=names))
            else:
                used = True
                upload.files += [StudentFile(entry.name, entry) for entry, _listed_name in self._data]
                upload.notes.append(message("{name} was placed beside the notebooks of the class.", name=names))
        for entry, listed_name in self._data:
            problem = placement_problem(PurePosixPath(entry.name))
            status = FileStatus.FOR_ALL if used and problem is None else FileStatus.UNUSED
            self.decide(None, listed_name, status, problem)

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
