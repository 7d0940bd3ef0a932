"""Canvas's gradebook and zip of feedback: a small model of its importers, for tests."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_TOTALS = re.compile(
    "Current Score|Current Points|Current Grade|Final Score|Final Points|Final Grade|Override Score|Override Grade|"
    "Override Status"
)


@dataclass(frozen=True)
class User:
    id: int
    name: str  # sortable: "Doe, Jane"
    login: str = ""
    sis: str = ""


@dataclass
class Course:
    """A Canvas course. ``assignments`` maps ids to titles; ``grades`` are the current grades by (assignment, user)."""

    users: Sequence[User]
    assignments: Mapping[int, str]
    points: Mapping[int, float] = field(default_factory=dict)
    grades: dict[tuple[int, int], str] = field(default_factory=dict)

    def exported(
        self,
        *,
        delimiter: str = ",",
        comma: bool = False,
        mark: bool = False,
        sis: bool = False,
        two_names: bool = False,
        manual: bool = False,
    ) -> bytes:
        """Return the gradebook as "Export Entire Gradebook" writes it, with the settings of the teacher."""

        def number(value: str) -> str:
            return value.replace(".", ",") if comma else value

        who = (["LastName", "FirstName"] if two_names else ["Student"]) + ["ID"]
        who += ["SIS User ID"] * sis + ["SIS Login ID", "Section"]
        headings = [f"{title} ({id_})" for id_, title in self.assignments.items()]
        rows = [[*who, *headings, "Current Score", "Final Score"]]
        blank = [""] * (len(who) - 1)
        if manual:
            rows.append(["", *blank, *["Manual Posting"] * len(headings), "", ""])
        full = [number(f"{self.points.get(id_, 100.0):.2f}") for id_ in self.assignments]
        rows.append(["    Points Possible", *blank, *full, "(read only)", "(read only)"])
        for user in [*self.users, User(999_999, "Student, Test", "f00d")]:
            last, _, first = user.name.partition(", ")
            names = [last, first] if two_names else [user.name]
            cells = [number(self.grades.get((id_, user.id), "")) for id_ in self.assignments]
            rows.append([*names, str(user.id), *[user.sis] * sis, user.login, "Section 1", *cells, "", ""])
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=delimiter, lineterminator="\n").writerows(rows)
        return (b"\xef\xbb\xbf" if mark else b"") + text.getvalue().encode()

    def imported(self, path: Path) -> dict[tuple[int, int], str]:
        """Return the grades that "Import" of the file changes, by assignment and user."""
        text = path.read_bytes().decode("utf-8").removeprefix("\ufeff")
        first_lines = text.splitlines(keepends=True)[:3]
        counts = {mark: {len(next(csv.reader([line], delimiter=mark))) for line in first_lines} for mark in ";,"}
        fields = {mark: found.pop() if len(found) == 1 else 0 for mark, found in counts.items()}
        rows = list(csv.reader(io.StringIO(text), delimiter=";" if fields[";"] > fields[","] else ","))
        header, changes = rows[0], {}
        names, columns = self._header(header)
        points: list[str] = []
        for row in rows[1:]:
            if "Points Possible" in row[0]:
                points = row
            elif not all(re.fullmatch(r"\s*(Muted|Manual Posting.*)?\s*", cell) for cell in row):
                user = next((user for user in self.users if str(user.id) == row[names]), None)
                for place, id_ in columns.items() if user else ():
                    if points and re.search(r"read\s+only", points[place]):
                        continue
                    assert user is not None
                    new, old = self._decimal(row[place].strip()), self.grades.get((id_, user.id), "")
                    if not self._same(new, old):
                        changes[id_, user.id] = new
        return changes

    def _header(self, header: list[str]) -> tuple[int, dict[int, int]]:
        if header[:3] == ["LastName", "FirstName", "ID"]:
            names = 2
        else:
            assert "Student" in header[0] and "ID" in header[1], "Invalid header row"
            names = 1
        width = names + 2
        if re.search(r"SIS\s+Login\s+ID", header[width - 1]):
            width += 1
        elif re.search(r"SIS\s+User\s+ID", header[width - 1]):
            width += 2
        assert "Section" in header[width - 1], "Invalid header row"
        columns = {}
        for place, heading in enumerate(header[width:], width):
            if not _TOTALS.search(heading):
                found = re.fullmatch(r"(.*)\s\(([0-9]+)\)", heading, re.DOTALL)
                assert found and int(found[2]) in self.assignments, f"a new assignment would be made: {heading}"
                columns[place] = int(found[2])
        return names, columns

    @staticmethod
    def _decimal(text: str) -> str:
        if not re.fullmatch(r"-?[0-9.,]+%?", text):
            return text
        *parts, last = re.split("[,.]", text)
        return f"{''.join(parts)}.{last}" if parts else last

    @staticmethod
    def _same(new: str, old: str) -> bool:
        if new in ("", "-") and old in ("", "-"):
            return True
        if not new or not old or "EX" in (new.upper(), old.upper()):
            return new == old
        try:
            return f"{float(new):.2f}" == f"{float(old):.2f}"
        except ValueError:
            return new == old


@dataclass(frozen=True)
class Upload:
    """A file that a student handed in, as Canvas keeps it."""

    id: int
    user: int
    name: str
    anonymous: str = ""


def download_entries(uploads: Sequence[Upload], names: Mapping[int, str], late: set[int]) -> dict[str, str]:
    """Return the entries of "Download Submissions" as a mapping to the names of the uploads."""
    entries = {}
    for upload in uploads:
        if upload.anonymous:
            parts = ["LATE"] * (upload.user in late) + [f"anon_{upload.anonymous}"]
        else:
            name = re.sub(r"_(\d+)_", r"\1", names[upload.user]).lower()
            parts = [name, *["LATE"] * (upload.user in late), str(upload.user)]
        prefix = re.sub(r"\W", "", "_".join(parts))
        file = re.sub('[\x00/\\\\:*?"<>|]+', "_", upload.name)
        entries[f"{prefix}_{upload.id}_{file}"] = upload.name
    return entries


def upload_feedback(path: Path, uploads: Sequence[Upload]) -> tuple[dict[int, tuple[str, bytes]], list[str]]:
    """Return the files that "Upload Submissions" attaches, by upload and under its name, and the ignored files."""
    known = {(str(upload.user), str(upload.id)): upload for upload in uploads}
    hidden = {(upload.anonymous, str(upload.id)): upload for upload in uploads if upload.anonymous}
    taken: dict[int, tuple[str, bytes]] = {}
    ignored = []
    with zipfile.ZipFile(path) as archive:
        for entry in archive.namelist():
            name = entry.rpartition("/")[2]
            parts = [part for part in name.split("_") if part != "LATE"]
            if parts[0] == "anon":
                upload = hidden.get((parts[1], parts[2]))
            else:
                numbers = [part for part in parts if re.fullmatch(r"\d+", part)][:2]
                upload = known.get((numbers[0], numbers[1])) if len(numbers) == 2 else None
            if upload is None or parts[-1].startswith("link") or name.startswith("._"):
                ignored.append(entry)
            else:
                taken[upload.id] = (upload.name, archive.read(entry))
    return taken, ignored
