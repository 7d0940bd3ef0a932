"""The PDF among what a student handed in, to a ``Document``: which file, what is wrong with it, what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from grader.files import filetype
from grader.files.isolated import ProcessLimits, run_isolated
from grader.i18n.message import Message, join_list, message
from grader.models.errors import IsolationError
from grader.models.pdf_report import Document, Member
from grader.models.submission import Attachment
from grader.scoring.report_pdf import headings, members, text_cleanup

MAX_BYTES = 64 << 20
MAX_PAGES, MAX_CHARACTERS = 100, 20_000  # characters of one page
BOUNDS = ProcessLimits(seconds=40, memory_mb=1024, file_mb=1)
LITTLE_TEXT = 30  # letters in a whole document: a caption, not a report
UNREADABLE = 0.3  # of the characters
MANY_WHITE = 200  # characters: more than a table's head

Decode = Callable[[str, Mapping[str, object], ProcessLimits], Any]

_PDF = b"%PDF-"
# Documents that are no PDF, by their names: some are zips or text that say nothing of themselves.
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
_SPEAKING = ("報告", "專題", "report", "書面", "final", "homework", "作業")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: sections by name, and an assignment's own headings for them."""

    sections: tuple[str, ...] = tuple(headings.NAMES)
    added: Mapping[str, Sequence[str]] = field(default_factory=dict)


def read_document(attachments: Sequence[Attachment], wanted: Wanted, *, decode: Decode = run_isolated) -> Document:
    """Never fails: what cannot be read is a ``problem``. ``decode`` runs the reader of the bytes."""
    taken, notes = _chosen(attachments)
    if taken is None:
        return Document(problem=_no_pdf(attachments), none=True)
    document = Document(PurePosixPath(taken.name).name, notes=notes)
    refused = _refused(taken)
    if refused is not None:
        return replace(document, problem=refused[0], none=refused[1])
    request = {"path": str(taken.path), "pages": MAX_PAGES, "characters": MAX_CHARACTERS}
    try:
        return _described(document, decode("grader.scoring.report_pdf.pdf_text", request, BOUNDS), wanted)
    except IsolationError as error:
        said = message("{name} cannot be read: {reason}.", name=document.name, reason=error.message)
        return replace(document, problem=said)


# ------------------------------------------------------------------ which file


def _chosen(attachments: Sequence[Attachment]) -> tuple[Attachment | None, tuple[Message, ...]]:
    """Of several the one that is called a report, among equals the largest."""
    pdfs = [one for one in attachments if one.name.lower().endswith(".pdf")]
    pdfs = pdfs or [one for one in attachments if not PurePosixPath(one.name).suffix and _PDF in _head(one)[:1024]]
    if not pdfs:
        return None, ()

    def rank(one: Attachment) -> tuple[bool, bool, int, str]:
        called = any(word in PurePosixPath(one.name).name.lower() for word in _SPEAKING)
        return _PDF in _head(one)[:1024], called, one.path.stat().st_size, one.name

    best = max(pdfs, key=rank)
    others = ", ".join(sorted(one.name for one in pdfs if one is not best))
    note = message("{taken} was read as the report. Other PDFs: {names}.", taken=best.name, names=others[:400])
    return best, (note,) if others else ()


def _head(attachment: Attachment) -> bytes:
    with attachment.path.open("rb") as file:
        return file.read(filetype.HEAD_BYTES)


def _no_pdf(attachments: Sequence[Attachment]) -> Message:
    for one in attachments:
        kind = _OTHERS.get(PurePosixPath(one.name).suffix.lower())
        if kind is not None:
            return message(
                "No PDF was handed in; {name} is {kind}. Open it in its program, save it as PDF and hand that in.",
                name=one.name,
                kind=kind,
            )
    return message("No PDF was handed in. Save the report as PDF and hand it in beside the notebook.")


def _refused(taken: Attachment) -> tuple[Message, bool] | None:
    """Why it is not even opened, and whether that leaves nothing to read."""
    name, head = PurePosixPath(taken.name).name, _head(taken)
    if _PDF not in head[:1024]:
        said = message(
            "{name} is called a PDF and is {kind}. A new name makes no PDF: open it in its program and save it as PDF.",
            name=name,
            kind=filetype.kind(head),
        )
        return said, True
    size = taken.path.stat().st_size
    if size > MAX_BYTES:
        said = message(
            "{name} has {size} MB; at most {most} MB are read.", name=name, size=size >> 20, most=MAX_BYTES >> 20
        )
        return said, False
    return None


# ------------------------------------------------------------------ what stands in it


def _described(document: Document, told: Mapping[str, Any], wanted: Wanted) -> Document:
    name = document.name
    if told["trouble"] == "encrypted":
        said = message("{name} is locked with a password. Save it without one and hand it in again.", name=name)
        return replace(document, problem=said, none=True)
    if told["trouble"]:
        said = message("{name} is damaged or cut off: {reason}.", name=name, reason=told["detail"])
        return replace(document, problem=said)
    pages = [text_cleanup.tidied(page["text"]) for page in told["pages"]]
    document = replace(document, pages=told["count"])
    problem = _unreadable(name, pages, told)
    if problem is not None:
        return replace(document, problem=problem)
    found = headings.passages(pages, headings.known_headings(wanted.added))
    who = _members(found, pages)
    return replace(
        document,
        sections=tuple(headings.sections(found, wanted.sections)),
        members=who,
        doubts=tuple(_doubts(document, told, who)),
    )


def _unreadable(name: str, pages: Sequence[str], told: Mapping[str, Any]) -> Message | None:
    whole = "\n".join(pages)
    unmapped = sum(page["unmapped"] for page in told["pages"])
    if text_cleanup.unreadable_share(whole) > UNREADABLE or unmapped > max(LITTLE_TEXT, len(whole)):
        return message(
            "The text of {name} cannot be read by a machine: its fonts do not say which characters they show. "
            "A person must read it; next time save it as PDF instead of printing it.",
            name=name,
        )
    if text_cleanup.letters(whole) >= LITTLE_TEXT:
        return None
    if any(page["pictures"] for page in told["pages"]):
        return message("{name} has pictures of pages and no text: a scan. A person must read it.", name=name)
    return message("{name} ({n} p.) has hardly any text that can be read.", name=name, n=told["count"])


def _members(found: Sequence[headings.Passage], pages: Sequence[str]) -> tuple[Member, ...]:
    """From their own section; without one, from the cover page."""
    named = members.members(line for one in found if "members" in one.sections for line in one.lines)
    return named or members.announced(pages[0].split("\n") if pages else ())


def _doubts(document: Document, told: Mapping[str, Any], who: Sequence[Member]) -> list[Message]:
    counts = {what: sum(page[what] for page in told["pages"]) for what in ("hidden", "white", "recognised")}
    mascots = [member.name for member in who if member.mascot]
    doubts = []
    if mascots:
        doubts.append(message("Listed as the mascot, who did nothing: {names}.", names=join_list(mascots)))
    if counts["hidden"]:
        doubts.append(
            message(
                "{n} characters that nobody sees (white, tiny or beside the page) were left out of the report.",
                n=counts["hidden"],
            )
        )
    if counts["white"] > MANY_WHITE:
        doubts.append(
            message("{n} characters of the report are white: look whether one can see them.", n=counts["white"])
        )
    if counts["recognised"]:
        doubts.append(message("The report is a scan, read by a program: look at the pages themselves."))
    unread = sum(not page["read"] for page in told["pages"])
    if unread:
        doubts.append(message("Pages of the report that could not be read: {n}.", n=unread))
    if document.pages > MAX_PAGES:
        doubts.append(
            message("The report has {n} pages; the first {most} were read.", n=document.pages, most=MAX_PAGES)
        )
    return doubts
