"""Google Classroom's folder in Drive, downloaded: whose file an entry is.

``王小明 - hw1.ipynb`` is the copy that Classroom made for a student; the title is common to most files. Students' own
uploads keep their own names, and copies have a copy's: ``Copy of hw1.ipynb``, ``「hw1」的副本.ipynb``,
``hw1 (1).ipynb``. There the first cells may say who it is, in one of these ways, read as text and never run:

    STUDENT_ID = "B12345678"     student_id, SID, 學號 likewise
    STUDENT_NAME = "王小明"      student_name, NAME, name, 姓名 likewise
    學號: B12345678              學号, Student ID, Student number, SID likewise, in text or in a comment
    姓名: 王小明                 Name, Student name likewise

Anybody can write any name there, so it is said in a note; notebooks that claim the same student stay apart, flagged.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from grader.files.archives.contents import Archive, Entry
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
_NAME_CHARACTERS = 300  # a longer one is no copy's
_CELLS, _LINES, _LINE_CHARACTERS = 5, 60, 300  # what is looked through for a name

_VALUE = r"(?P<quote>[\"'])(?P<value>[^\"'\n]{1,64})(?P=quote)"
_ASSIGNED = {
    "id": re.compile(rf"\s*(?:STUDENT_ID|student_id|SID|sid|學號|学号)\s*=\s*{_VALUE}"),
    "name": re.compile(rf"\s*(?:STUDENT_NAME|student_name|NAME|name|姓名)\s*=\s*{_VALUE}"),
}
_TOLD = {
    "id": re.compile(r"(?:學號|学号|Student ID|Student number|SID)\s*[:：]\s*(?P<value>.{1,64})", re.IGNORECASE),
    "name": re.compile(r"(?:姓名|Student name|Name)\s*[:：]\s*(?P<value>.{1,64})", re.IGNORECASE),
}
_EMPHASIS = re.compile(r"[*`]|</?(?:b|strong)>")
_MARKS = "#>*_`|~- \t\u3000"  # of Markdown and of comments
_PLACEHOLDER = re.compile(
    r"(?:your|please|enter|student|todo|請|请|你的|您的|填).*|x+|n/?a|name|id|姓名|學號|学号|0+|123456*7?8?9?",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a notebook's own cells say that it is of."""

    id: str = ""
    name: str = ""

    def __bool__(self) -> bool:
        return bool(self.id or self.name)


def naming(content: Archive) -> Naming:
    """For what is plainly Drive's: by the archive's name, or because most notebooks have one title in common."""
    names = [entry.name for entry in content.entries]
    titles = _titles(names)
    most = titles.most_common(1)
    common = bool(most) and most[0][1] > 1 and 2 * most[0][1] > sum(map(is_notebook, names))
    if any("/" in name for name in names) or not (common or is_download(content.name)):
        return lambda _name: None
    return requested_naming(content)


def is_download(name: str) -> bool:
    """Whether Drive would call the zip of a folder so, or one part of it."""
    return _DOWNLOAD.fullmatch(name) is not None


def requested_naming(content: Archive) -> Naming:
    """For whatever is said to come from Classroom."""
    return partial(parse_name, owners=_owners(content))


def parse_name(name: str, owners: Mapping[str, Owner]) -> Owner | None:
    return owners.get(name)


# ---------------------------------------------------------------- titles


def plain_title(text: str) -> str:
    """``text`` without the marks of a copy, however often it was copied."""
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
    """How many notebooks have each title: what follows the last " - ", or the whole name of what is a copy."""
    counts: Counter[str] = Counter()
    for name in names:
        if is_notebook(name):
            title = plain_title(stem(name))
            split = title.rpartition(_BETWEEN)[2]
            if _BETWEEN in title or title != unicodedata.normalize("NFKC", stem(name)).strip():
                counts[split.casefold()] += 1
    return counts


def _named(name: str, title: str) -> str:
    """The student in ``Student - title.ipynb``; "" where the name has no such form."""
    plain = plain_title(stem(name))
    if not title or not plain.casefold().endswith((_BETWEEN + title).casefold()):
        return ""
    return plain[: -len(_BETWEEN + title)].strip()


# ---------------------------------------------------------------- whose file it is


def _owners(content: Archive) -> dict[str, Owner]:
    flat = [entry for entry in content.entries if "/" not in entry.name]
    most = _titles(entry.name for entry in flat).most_common(1)
    title = most[0][0] if most else ""
    alone = {entry.name: _owner(entry, title) for entry in flat if is_notebook(entry.name)}
    owners = _kept_apart(alone)
    students = {_folded(owner.name): owners[file] for file, owner in reversed(alone.items())}
    for entry in flat:
        owner = owners.get(entry.name) or _beside(entry.name, title, students)
        if owner is not None:
            owners[entry.name] = owner
    return owners


def _owner(entry: Entry, title: str) -> Owner:
    student = _named(entry.name, title)
    if student:
        return Owner(student, entry.name, entry.name, key=student)
    claim = read_claim(entry)
    if claim:
        note = message(
            "Whose notebook {file} is was read in its own cells: {claim}. Anybody can write that there.",
            file=entry.name,
            claim=" ".join(filter(None, (claim.id, claim.name))),
        )
        return Owner(claim.name or claim.id, entry.name, entry.name, username=claim.id, claimed=True, notes=(note,))
    return Owner(stem(entry.name), entry.name, entry.name)


def _kept_apart(owners: Mapping[str, Owner]) -> dict[str, Owner]:
    """Notebooks of one and the same student each on its own, with a note: they may be of two."""
    claims: dict[str, set[str]] = {}
    for file, owner in owners.items():
        for word in {_folded(owner.name), _folded(owner.username)} - {""}:
            claims.setdefault(word, set()).add(file)
    return {
        file: _flagged(owner, file, claims[_folded(owner.name)] | claims.get(_folded(owner.username), set()))
        for file, owner in owners.items()
    }


def _flagged(owner: Owner, file: str, rivals: set[str]) -> Owner:
    if len(rivals) < 2:
        return owner
    note = message(
        "{n} notebooks are said to be of {student}: {files}. Each was graded; see whose they are.",
        n=len(rivals), student=owner.name, files=join_list(sorted(rivals)),
    )  # fmt: skip
    return replace(owner, name=f"{owner.name} ({stem(file)})", key="", notes=(*owner.notes, note))


def _beside(name: str, title: str, students: Mapping[str, Owner]) -> Owner | None:
    """A file that is no notebook: of the student whose name it begins with; None for data that is nobody's."""
    student = _named(name, title)
    owner = students.get(_folded(student or plain_title(stem(name)).partition(_BETWEEN)[0]))
    if owner is not None:
        return replace(owner, rest=name, notes=())
    return Owner(student or stem(name), name, name, key=student) if student or could_be_handed_in(name) else None


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


# ---------------------------------------------------------------- what its cells say


def read_claim(entry: Entry) -> Claim:
    """The student's number and name as the notebook's first cells have them; empty where they have none."""
    if entry.size > parse.MAX_BYTES:
        return Claim()
    parsed = parse.parse(entry.path.read_bytes()).notebook
    found: dict[str, str] = {}
    for cell in (parsed.cells if parsed is not None else [])[:_CELLS]:
        patterns = _ASSIGNED if cell.cell_type == "code" else _TOLD
        for line in cell.source.splitlines()[:_LINES]:
            for what, value in _said(line[:_LINE_CHARACTERS], patterns, comment=cell.cell_type == "code"):
                found.setdefault(what, value)
    return Claim(found.get("id", ""), found.get("name", ""))


def _said(line: str, patterns: Mapping[str, re.Pattern[str]], *, comment: bool) -> Iterable[tuple[str, str]]:
    told = not comment or line.lstrip().startswith("#")
    for what in patterns:
        found = _TOLD[what].match(_EMPHASIS.sub("", line).strip(_MARKS)) if told else patterns[what].match(line)
        value = " ".join(found["value"].strip(_MARKS).split()) if found else ""
        if value and value.isprintable() and any(map(str.isalnum, value)) and not _PLACEHOLDER.fullmatch(value):
            yield what, value
