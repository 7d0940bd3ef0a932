"""A model of a Moodle assignment for tests: the teacher's downloads, and the import of the uploaded files.

The rules come from Moodle's sources: names of entries after ``mod/assign/classes/downloader.php``, the worksheet after
``gradingtable.php``, the two importers after ``feedback/offline`` and ``feedback/file``.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Pack:
    """A language pack: names of columns and words. ``prefix`` stands directly before a participant's number."""

    identifier: str
    prefix: str
    participant: str
    name: str
    grade: str
    maximum: str
    scale: str
    changeable: str
    yes_no: tuple[str, str]
    modified: str
    comments: str
    group: str
    comma: bool = False
    date: str = "Thursday, 5 March 2026, 11:59 PM"


PACKS = {
    "en": Pack("Identifier", "Participant ", "Participant", "Full name", "Grade", "Maximum grade", "Scale",
               "Grade can be changed", ("Yes", "No"), "Last modified (grade)", "Feedback comments", "Group"),
    "zh_tw": Pack("識別碼", "參與者", "參與者", "全名", "成績", "最高成績", "量尺", "分數可以被更改", ("是", "否"),
                  "最後修改的(得分)", "評語回饋", "群組", date="2026年 03月 5日(四) 23:59"),
    "de": Pack("ID", "Teilnehmer/in", "Teilnehmer/in", "Vollständiger Name", "Bewertung", "Bestwertung", "Skala",
               "Bewertung kann geändert werden", ("Ja", "Nein"), "Zuletzt geändert (Bewertung)",
               "Feedback als Kommentar", "Gruppe", comma=True, date="Donnerstag, 5. März 2026, 23:59"),
    "fr": Pack("Identifiant", "Participant", "Participant", "Nom complet", "Note", "Note maximale", "Barème",
               "La note peut être modifiée", ("Oui", "Non"), "Dernière modification (note)",
               "Feedback par commentaires", "Groupe", comma=True, date="jeudi 5 mars 2026, 23:59"),
    "es": Pack("Identificador", "Participante", "Participante", "Nombre completo", "Calificación",
               "Calificación máxima", "Escala", "La calificación puede ser cambiada", ("Sí", "No"),
               "Última modificación (calificación)", "Comentarios de retroalimentación", "Grupo",
               date="jueves, 5 de marzo de 2026, 23:59"),
    "ru": Pack("Идентификатор", "Участник", "Участник", "Полное имя", "Оценка", "Максимальная оценка", "Шкала",
               "Оценка может быть изменена", ("Да", "Нет"), "Последнее изменение (оценка)",
               "Отзыв в виде комментария", "Группы", comma=True, date="четверг, 5 марта 2026, 23:59"),
    "he": Pack("מזהה", "משתתף:", "משתתף", "שם מלא", "ציון", "ציון מירבי", "קנה מידה", "הציון ניתן לשינוי", ("כן", "לא"),
               "עדכון אחרון (ציון)", "משוב הערות", "קבוצה", date="חמישי, 5 במרץ 2026, 23:59"),
    # A language outside the grader's list: columns are recognised by their content.
    "xx": Pack("Tunnus", "Osanottaja ", "Osanottaja", "Koko nimi", "Arvio", "Enimmäisarvio", "Asteikko",
               "Saa muuttaa", ("On", "Eei"), "Viimeksi", "Huomiot", "Ryhmä", comma=True, date="to 5. 3. 2026, 23.59"),
}  # fmt: skip


@dataclass
class Person:
    number: int
    name: str
    group: tuple[int, str] | None = None
    grade: str = ""  # as the worksheet shows it
    comment: str = ""
    locked: bool = False
    graded_at: float = 0.0  # 0: never; else it is the time that the worksheet shows
    files: dict[str, bytes] = field(default_factory=dict)  # feedback, by its name


@dataclass
class Site:
    people: list[Person]
    pack: Pack = PACKS["en"]
    maximum: float = 100
    blind: bool = False
    teams: bool = False
    comments: bool = True
    old: bool = False  # before Moodle 4.1
    scale: str = ""

    # ------------------------------------------------ downloads

    def prefix(self, person: Person) -> str:
        name = self.pack.participant if self.blind else person.name
        if self.teams and not self.old:
            group = person.group
            return clean(f"{group[1].replace('_', ' ')}_{group[0]}" if group else "Default group")
        if self.teams:
            name = f"{person.group[1] if person.group else 'Default group'}-{name}"
        return clean(f"{name.replace('_', ' ')}_{person.number}")

    def entries(self, files: Mapping[int, Mapping[str, bytes]], *, flat: bool = False) -> dict[str, bytes]:
        """Return the archive's entries; ``files`` are by participant's number."""
        found: dict[str, bytes] = {}
        for person in self.people:
            for name, content in files.get(person.number, {}).items():
                kind = f"{self.prefix(person)}_assignsubmission_file"
                found[f"{kind}_{name}" if flat else f"{kind}{'_' if self.old else ''}/{name}"] = content
        return found

    def header(self) -> list[str]:
        pack = self.pack
        return [
            pack.identifier,
            *([] if self.blind else [pack.name, "Email"]),
            "Status",
            *([pack.group] if self.teams else []),
            pack.grade,
            pack.scale if self.scale else pack.maximum,
            pack.changeable,
            "Last modified (submission)",
            pack.modified,
            *([pack.comments] if self.comments else []),
        ]

    def row(self, person: Person) -> list[str]:
        yes, no = self.pack.yes_no
        group = person.group[1] if person.group else "Default group"
        return [
            f"{self.pack.prefix}{person.number}",
            *([] if self.blind else [person.name, f"s{person.number}@example.org"]),
            "Submitted for grading - ",
            *([group] if self.teams else []),
            person.grade,
            self.scale or self.shown(self.maximum),
            no if person.locked else yes,
            self.pack.date,
            self.pack.date if person.graded_at else "-",
            *([person.comment] if self.comments else []),
        ]

    def shown(self, value: float) -> str:
        return f"{value:.2f}".replace(".", "," if self.pack.comma else ".")

    def worksheet(self, *, delimiter: str = ",", ending: str = "\n", quote_all: bool = False) -> bytes:
        target = io.StringIO(newline="")
        writer = csv.writer(
            target,
            delimiter=delimiter,
            lineterminator=ending,
            quoting=csv.QUOTE_ALL if quote_all else csv.QUOTE_MINIMAL,
        )
        writer.writerows([self.header(), *map(self.row, self.people)])
        return b"\xef\xbb\xbf" + target.getvalue().encode()

    # ------------------------------------------------ uploads

    def upload_worksheet(self, data: bytes, *, delimiter: str = ",", ignore_modified: bool = False) -> None:
        """Import a worksheet as ``process_import_grades`` does: unsuitable rows are skipped silently."""
        read = csv.reader(io.StringIO(data.decode("utf-8-sig"), newline=""), delimiter=delimiter)
        rows = [row for row in read if row]
        columns, pack = rows[0], self.pack
        assert all(len(row) == len(columns) for row in rows), "csvweirdcolumns"
        assert {pack.identifier, pack.grade, pack.modified} <= set(columns), "invalidgradeimport"
        people = {person.number: person for person in self.people}
        for row in rows[1:]:
            number = row[columns.index(pack.identifier)][len(pack.prefix) :]
            person = people.get(int(number)) if number.isdigit() else None
            if person is None:
                continue
            seen = row[columns.index(pack.modified)]
            stale = person.graded_at > (1.0 if seen == pack.date else 0.0) + 0.5
            if stale and not ignore_modified:
                continue
            grade = self.unformat_float(row[columns.index(pack.grade)])
            if grade is not None and 0 <= grade <= self.maximum and not person.locked:
                person.grade, person.graded_at = self.shown(grade), 1.0
            if self.comments and pack.comments in columns:
                person.comment = row[columns.index(pack.comments)]

    def unformat_float(self, text: str) -> float | None:
        text = text.strip().replace(" ", "").replace("," if self.pack.comma else "\0", ".")
        if not text:
            return None
        found = re.match(r"-?[0-9]+(\.[0-9]+)?", text)  # as PHP casts: what follows is cut off
        return float(found[0]) if found else 0.0

    def upload_feedback(self, path: Path, *, groups: bool = True) -> None:
        """Import a zip of feedback files.

        ``groups`` is False for a Moodle before 4.1, which matches files by participants' numbers only.
        """
        receivers: dict[int, list[Person]] = {}
        for person in self.people:
            if not (self.teams and groups):
                receivers[person.number] = [person]
            elif person.group:
                receivers.setdefault(person.group[0], []).append(person)
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                found = matched(name.split("/"), receivers)
                for person in found[0] if found else []:
                    person.files[found[1] if found else ""] = archive.read(name)
                    person.graded_at = 9.0  # a new grade record, newer than any worksheet


def matched(parts: Sequence[str], receivers: Mapping[int, list[Person]]) -> tuple[list[Person], str] | None:
    """Return the receiver and the name of a file, as ``is_valid_filename_for_import`` does."""
    if parts[-1].startswith((".", "~")):
        return None
    rest = list(parts)
    while rest:
        info = rest.pop(0).split("_", 4)
        if len(info) < 4 or not re.fullmatch(r"[0-9]+", info[1]) or int(info[1]) not in receivers:
            continue
        if (info[2], info[3]) not in {("assignsubmission", "file"), ("assignsubmission", "onlinetext")}:
            continue
        return receivers[int(info[1])], "/".join([*info[4:], *rest]).strip("/")
    return None


def clean(name: str) -> str:
    """Remove the characters that Moodle's PARAM_FILE removes."""
    return re.sub(r"[\x00-\x1f\x7f&<>\"`|':\\/]", "", name)
