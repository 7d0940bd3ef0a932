"""File names in a downloaded Drive folder of Google Classroom.

``王小明 - hw1.ipynb`` is the copy that Classroom made for a student; most files have the same title. Files that
students upload keep their own names, and copies get names like ``Copy of hw1.ipynb``, ``「hw1」的副本.ipynb`` or
``hw1 (1).ipynb``. The first cells of such a notebook may name the student in one of these forms, which are read as text
and never run:

    STUDENT_ID = "B12345678"     student_id, SID, 學號 likewise
    STUDENT_NAME = "王小明"      student_name, NAME, name, 姓名 likewise
    學號: B12345678              學号, Student ID, Student number, SID likewise, in text or in a comment
    姓名: 王小明                 Name, Student name likewise

Anyone can write any name there, so a note tells where it comes from. Notebooks that claim the same student stay
separate and get a note.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from grader.files.archives.contents import Archive, Entry
from grader.files.plain_files import read_plain
from grader.i18n.message import join_list, message
from grader.lms.folder import could_be_handed_in, is_notebook, stem
from grader.lms.identity import Naming, Owner
from grader.notebook import parse

_DOWNLOAD = re.compile(r".*-\d{8}T\d{6}Z-\d{1,3}-?\d{0,3}(?: ?\(\d+\))?\.zip", re.IGNORECASE)
_COPY_BEFORE = re.compile(
    r"\s*(?:copy of|kopie von|copie de|copia de|copia di|cópia de|kopia|копия|のコピー)\s+", re.IGNORECASE
)
_COPY_AFTER = re.compile(r"\s*(?:的副本|の?コピー|的複本|副本|- ?copy|- ?複製|\s?\([0-9]{1,3}\))\s*")
_QUOTED = re.compile(r"[「『“\"](.+)[」』”\"]")
_BETWEEN = " - "
_NAME_CHARACTERS = 300  # longer names are no copies
_CELLS, _LINES, _LINE_CHARACTERS = 5, 60, 300  # limits of the search for a name

_VALUE = r"(?P<quote>[\"'])(?P<value>[^\"'\n]{1,64})(?P=quote)"
_ASSIGNED = {
    "id": re.compile(rf"\s*(?:STUDENT_ID|student_id|SID|sid|學號|学号)\s*=\s*{_VALUE}"),
    "name": re.compile(rf"\s*(?:STUDENT_NAME|student_name|NAME|name|姓名)\s*=\s*{_VALUE}"),
}
_TEXT = {
    "id": re.compile(r"(?:學號|学号|Student ID|Student number|SID)\s*[:：]\s*(?P<value>.{1,64})", re.IGNORECASE),
    "name": re.compile(r"(?:姓名|Student name|Name)\s*[:：]\s*(?P<value>.{1,64})", re.IGNORECASE),
}
_EMPHASIS = re.compile(r"[*`]|</?(?:b|strong)>")
_MARKS = "#>*_`|~- \t\u3000"  # Markdown and comment characters
_PLACEHOLDER = re.compile(
    r"(?:your|please|enter|student|todo|請|请|你的|您的|填).*|x+|n/?a|name|id|姓名|學號|学号|0+|123456*7?8?9?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Student number and name in the cells of a notebook, written by a student and not trusted."""

    id: str = ""
    name: str = ""

    def __bool__(self) -> bool:
        return bool(self.id or self.name)


def naming(content: Archive) -> Naming:
    """Return the naming of an archive that is clearly from Drive: by its name, or by a title that most notebooks have.

    For any other archive the naming fits no file.
    """
    names = [entry.name for entry in content.entries]
    titles = _titles(names)
    most = titles.most_common(1)
    common = bool(most) and most[0][1] > 1 and 2 * most[0][1] > sum(map(is_notebook, names))
    if any("/" in name for name in names) or not (common or is_download(content.name)):
        return lambda _name: None
    return requested_naming(content)


def is_download(name: str) -> bool:
    """Return whether ``name`` is one that Drive gives to the zip of a folder or to a part of it."""
    return _DOWNLOAD.fullmatch(name) is not None


def requested_naming(content: Archive) -> Naming:
    """Return the naming of an archive that the teacher says is from Classroom."""
    return _owners(content).get


# ---------------------------------------------------------------- titles


def plain_title(text: str) -> str:
    """Return ``text`` without the marks of a copy, also of repeated copies."""
    text = unicodedata.normalize("NFKC", text).strip()
    while len(text) <= _NAME_CHARACTERS:
        shorter = text
        if found := _COPY_BEFORE.match(shorter):
            shorter = shorter[found.end() :]
        for found in _COPY_AFTER.finditer(shorter):
            if found.end() == len(shorter):
                shorter = shorter[: found.start()]
                break
        if found := _QUOTED.fullmatch(shorter.strip()):
            shorter = found[1]
        shorter = shorter.strip()
        if shorter == text or not shorter:
            break
        text = shorter
    return text


def _titles(names: Iterable[str]) -> Counter[str]:
    """Count the titles of the notebooks: the text after the last " - ", or the whole name of a copy."""
    counts: Counter[str] = Counter()
    for name in names:
        if is_notebook(name):
            title = plain_title(stem(name))
            split = title.rpartition(_BETWEEN)[2]
            if _BETWEEN in title or title != unicodedata.normalize("NFKC", stem(name)).strip():
                counts[split.casefold()] += 1
    return counts


def _student_in(name: str, title: str) -> str:
    """Return the student in ``Student - title.ipynb``; "" if the name has another form."""
    plain = plain_title(stem(name))
    if not title or not plain.casefold().endswith((_BETWEEN + title).casefold()):
        return ""
    return plain[: -len(_BETWEEN + title)].strip()


# ---------------------------------------------------------------- owners


def _owners(content: Archive) -> dict[str, Owner]:
    flat = [entry for entry in content.entries if "/" not in entry.name]
    most = _titles(entry.name for entry in flat).most_common(1)
    title = most[0][0] if most else ""
    notebooks = {entry.name: _notebook_owner(entry, title) for entry in flat if is_notebook(entry.name)}
    owners = _separate_rivals(notebooks)
    students = {_fold(owner.name): owners[file] for file, owner in reversed(notebooks.items())}
    for entry in flat:
        owner = owners.get(entry.name) or _other_owner(entry.name, title, students)
        if owner is not None:
            owners[entry.name] = owner
    return owners


def _notebook_owner(entry: Entry, title: str) -> Owner:
    student = _student_in(entry.name, title)
    if student:
        return Owner(student, entry.name, entry.name, key=student)
    claim = read_claim(entry)
    if claim:
        note = message(
            "The student of {file} was read from its own cells: {claim}. Anyone can write that there.",
            file=entry.name,
            claim=" ".join(filter(None, (claim.id, claim.name))),
        )
        return Owner(claim.name or claim.id, entry.name, entry.name, username=claim.id, claimed=True, notes=(note,))
    return Owner(stem(entry.name), entry.name, entry.name)


def _separate_rivals(owners: Mapping[str, Owner]) -> dict[str, Owner]:
    """Make a student of its own of each notebook that claims the same student as another, with a note."""
    claims: dict[str, set[str]] = {}
    for file, owner in owners.items():
        for value in {_fold(owner.name), _fold(owner.username)} - {""}:
            claims.setdefault(value, set()).add(file)
    return {
        file: _separate(owner, file, claims[_fold(owner.name)] | claims.get(_fold(owner.username), set()))
        for file, owner in owners.items()
    }


def _separate(owner: Owner, file: str, rivals: set[str]) -> Owner:
    if len(rivals) < 2:
        return owner
    note = message(
        "{n} notebooks name {student} as their student: {files}. Each is graded separately; check who wrote them.",
        n=len(rivals), student=owner.name, files=join_list(sorted(rivals)),
    )  # fmt: skip
    return replace(owner, name=f"{owner.name} ({stem(file)})", key="", notes=(*owner.notes, note))


def _other_owner(name: str, title: str, students: Mapping[str, Owner]) -> Owner | None:
    """Return the owner of a file that is no notebook: the student with whose name it begins; None for class data."""
    student = _student_in(name, title)
    owner = students.get(_fold(student or plain_title(stem(name)).partition(_BETWEEN)[0]))
    if owner is not None:
        return replace(owner, rest=name, notes=(), named=True)
    return Owner(student or stem(name), name, name, key=student) if student or could_be_handed_in(name) else None


def _fold(text: str) -> str:
    """Return ``text`` without differences of case, width and spaces."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


# ---------------------------------------------------------------- claims in cells


def read_claim(entry: Entry) -> Claim:
    """Return the student's number and name in the first cells of a notebook; empty if there are none."""
    if entry.size > parse.MAX_BYTES:
        return Claim()
    try:
        parsed = parse.parse(read_plain(entry.path, parse.MAX_BYTES)).notebook
    except OSError:
        return Claim()
    found: dict[str, str] = {}
    for cell in (parsed.cells if parsed is not None else [])[:_CELLS]:
        patterns = _ASSIGNED if cell.cell_type == "code" else _TEXT
        for line in cell.source.splitlines()[:_LINES]:
            for kind, value in _claims_in(line[:_LINE_CHARACTERS], patterns, is_code=cell.cell_type == "code"):
                found.setdefault(kind, value)
    return Claim(found.get("id", ""), found.get("name", ""))


def _claims_in(line: str, patterns: Mapping[str, re.Pattern[str]], *, is_code: bool) -> Iterable[tuple[str, str]]:
    is_text = not is_code or line.lstrip().startswith("#")
    for kind in patterns:
        found = _TEXT[kind].match(_EMPHASIS.sub("", line).strip(_MARKS)) if is_text else patterns[kind].match(line)
        value = " ".join(found["value"].strip(_MARKS).split()) if found else ""
        if value and value.isprintable() and any(map(str.isalnum, value)) and not _PLACEHOLDER.fullmatch(value):
            yield kind, value
