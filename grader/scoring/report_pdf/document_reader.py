"""Read the PDF report of a submission: select the file, say what is wrong with it, find sections and members."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from grader.files import filetype
from grader.files.isolated import ProcessLimits, run_isolated
from grader.files.plain_files import read_plain
from grader.i18n.message import Message, join_list, message
from grader.models.errors import IsolationError
from grader.models.pdf_report import Document, Member
from grader.models.submission import Attachment
from grader.scoring.report_pdf import headings, members, text_cleanup

MAX_BYTES = 64 << 20
MAX_PAGES, MAX_CHARACTERS = 100, 20_000  # characters of one page
BOUNDS = ProcessLimits(seconds=40, memory_mb=1024, file_mb=1)
LITTLE_TEXT = 30  # letters; a document with fewer is not a report
UNREADABLE = 0.3  # share of the characters
MANY_WHITE = 200  # characters; more than the header of a table

Decode = Callable[[str, Mapping[str, object], ProcessLimits], Any]

_PDF = b"%PDF-"
# Other documents by extension, because the content of some is just a zip archive or text.
_OTHERS: Mapping[str, Message] = {
    ".docx": message("a Word document"),
    ".doc": message("an old Word document"),
    ".pages": message("a Pages document"),
    ".odt": message("an OpenDocument file"),
    ".rtf": message("an RTF document"),
    ".pptx": message("a PowerPoint document"),
    ".ppt": message("an old PowerPoint document"),
    ".key": message("a Keynote document"),
    ".odp": message("an OpenDocument file"),
    ".gdoc": message("a link to a Google document"),
    ".gslides": message("a link to a Google document"),
    ".md": message("a Markdown file"),
    ".txt": message("a text file"),
}
_REPORT_WORDS = ("報告", "專題", "report", "書面", "final", "homework", "作業")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Names of the sections to look for, and headings that the assignment adds."""

    sections: tuple[str, ...] = tuple(headings.NAMES)
    added: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_document(attachments: Sequence[Attachment], wanted: Wanted, *, decode: Decode = run_isolated) -> Document:
    """Return the report among ``attachments``. A file that cannot be read has a ``problem``; nothing is raised.

    ``decode`` runs ``pdf_text`` on the bytes, by default in an isolated process.
    """
    selected, notes = _select_pdf(attachments)
    if selected is None:
        return Document(problem=_no_pdf(attachments), none=True)
    document = Document(PurePosixPath(selected.name).name, notes=notes)
    refusal = _refusal(selected)
    if refusal is not None:
        return replace(document, problem=refusal[0], none=refusal[1])
    request = {"path": str(selected.path.absolute()), "pages": MAX_PAGES, "characters": MAX_CHARACTERS}
    try:
        return _describe(document, decode("grader.scoring.report_pdf.pdf_text", request, BOUNDS), wanted)
    except IsolationError as error:
        problem = message("{name} cannot be read: {reason}.", name=document.name, reason=error.message)
        return replace(document, problem=problem)


# ------------------------------------------------------------------ selecting the file


def _select_pdf(attachments: Sequence[Attachment]) -> tuple[Attachment | None, tuple[Message, ...]]:
    """Return the report and a note on the other PDFs: real PDFs first, then a report's name, then the largest."""
    pdfs = [file for file in attachments if file.name.lower().endswith(".pdf")]
    pdfs = pdfs or [file for file in attachments if not PurePosixPath(file.name).suffix and _PDF in _head(file)[:1024]]
    if not pdfs:
        return None, ()

    def rank(file: Attachment) -> tuple[bool, bool, int, str]:
        named_report = any(word in PurePosixPath(file.name).name.lower() for word in _REPORT_WORDS)
        return _PDF in _head(file)[:1024], named_report, file.path.stat().st_size, file.name

    best = max(pdfs, key=rank)
    others = ", ".join(sorted(file.name for file in pdfs if file is not best))
    note = message("{taken} was read as the report. Other PDFs: {names}.", taken=best.name, names=others[:400])
    return best, (note,) if others else ()


def _head(attachment: Attachment) -> bytes:
    return read_plain(attachment.path, filetype.HEAD_BYTES)


def _no_pdf(attachments: Sequence[Attachment]) -> Message:
    for file in attachments:
        kind = _OTHERS.get(PurePosixPath(file.name).suffix.lower())
        if kind is not None:
            return message(
                "No PDF was submitted; {name} is {kind}. Open it in its program, save it as PDF and submit that.",
                name=file.name,
                kind=kind,
            )
    return message("No PDF was submitted. Save the report as PDF and submit it with the notebook.")


def _refusal(selected: Attachment) -> tuple[Message, bool] | None:
    """Return why the file is not opened and whether nobody can read it; None if it can be opened."""
    name, head = PurePosixPath(selected.name).name, _head(selected)
    if _PDF not in head[:1024]:
        problem = message(
            "{name} is named .pdf but is {kind}. Renaming does not convert a file: open it in its program and save it "
            "as PDF.",
            name=name,
            kind=filetype.kind(head),
        )
        return problem, True
    size = selected.path.stat().st_size
    if size > MAX_BYTES:
        problem = message(
            "{name} has {size} MB; at most {most} MB are read.", name=name, size=size >> 20, most=MAX_BYTES >> 20
        )
        return problem, False
    return None


# ------------------------------------------------------------------ reading it


def _describe(document: Document, extracted: Mapping[str, Any], wanted: Wanted) -> Document:
    name = document.name
    if extracted["trouble"] == "encrypted":
        problem = message(
            "{name} is locked with a password. Save it without a password and submit it again.", name=name
        )
        return replace(document, problem=problem, none=True)
    if extracted["trouble"]:
        problem = message("{name} is damaged or cut off: {reason}.", name=name, reason=extracted["detail"])
        return replace(document, problem=problem)
    pages = [text_cleanup.normalise_text(page["text"]) for page in extracted["pages"]]
    document = replace(document, pages=extracted["count"])
    unreadable = _unreadable(name, pages, extracted)
    if unreadable is not None:
        return replace(document, problem=unreadable)
    found = headings.split_at_headings(pages, headings.known_headings(wanted.added))
    who = _members(found, pages)
    return replace(
        document,
        sections=tuple(headings.count_sections(found, wanted.sections)),
        members=who,
        doubts=tuple(_doubts(document, extracted, who)),
    )


def _unreadable(name: str, pages: Sequence[str], extracted: Mapping[str, Any]) -> Message | None:
    text = "\n".join(pages)
    unmapped = sum(page["unmapped"] for page in extracted["pages"])
    if text_cleanup.unreadable_share(text) > UNREADABLE or unmapped > max(LITTLE_TEXT, len(text)):
        return message(
            "The text of {name} cannot be read by a machine: its fonts have no table of their characters. "
            "A person must read it; next time save it as PDF instead of printing it.",
            name=name,
        )
    if text_cleanup.count_letters(text) >= LITTLE_TEXT:
        return None
    if any(page["pictures"] for page in extracted["pages"]):
        return message("{name} is a scan: it has pictures of pages and no text. A person must read it.", name=name)
    return message("{name} ({n} p.) has almost no readable text.", name=name, n=extracted["count"])


def _members(found: Sequence[headings.Passage], pages: Sequence[str]) -> tuple[Member, ...]:
    """Return the members from their section, or from the cover page if there is none."""
    named = members.find_members(line for passage in found if "members" in passage.sections for line in passage.lines)
    return named or members.announced_members(pages[0].split("\n") if pages else ())


def _doubts(document: Document, extracted: Mapping[str, Any], who: Sequence[Member]) -> list[Message]:
    counts = {count: sum(page[count] for page in extracted["pages"]) for count in ("hidden", "white", "recognised")}
    mascots = [member.name for member in who if member.mascot]
    doubts = []
    if mascots:
        doubts.append(message("Listed as the mascot, without a task: {names}.", names=join_list(mascots)))
    if counts["hidden"]:
        doubts.append(
            message(
                "{n} invisible characters of the report (white, tiny or outside the page) were left out.",
                n=counts["hidden"],
            )
        )
    if counts["white"] > MANY_WHITE:
        doubts.append(
            message("{n} characters of the report are white: check whether they can be seen.", n=counts["white"])
        )
    if counts["recognised"]:
        doubts.append(message("The report is a scan with recognised text: check the pages themselves."))
    unread = sum(not page["read"] for page in extracted["pages"])
    if unread:
        doubts.append(message("Pages of the report that could not be read: {n}.", n=unread))
    if document.pages > MAX_PAGES:
        doubts.append(
            message("The report has {n} pages; the first {most} were read.", n=document.pages, most=MAX_PAGES)
        )
    return doubts
