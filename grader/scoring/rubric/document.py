"""Kind ``document``: the report that was handed in as a PDF.

What it checks: the sections asked for are there, by their headings, with text below them, and with ``members`` each
member has a part. Who is listed as the mascot is told. How good it is stays a person's to judge: points are proposed.
Why it matters: what was wanted, done and found, and by whom, is in no notebook.
Example: ``kind = "document"``, ``sections = ["members", "purpose", "results"]``, ``members = true``, ``points = 20``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt

from grader.i18n.message import Message, join_list, join_sentences, message, unexpected
from grader.models.assignment import Criterion
from grader.models.grade import Score
from grader.models.pdf_report import Document, Member, Section
from grader.models.run import Run
from grader.scoring.report_pdf.document_reader import Wanted
from grader.scoring.report_pdf.headings import NAMES

READ_IT = message("Points were only proposed, by the sections of the report: read it and decide.")


@dataclass(frozen=True, kw_only=True)
class DocumentHandedIn(Criterion):
    sections: tuple[str, ...] = ("members", "purpose", "content", "preprocessing", "model", "training", "results")
    members: bool = False  # each with a part
    headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of known sections, or of one's own
    min_characters: Annotated[int, Gt(0)] = 20  # letters below a section's headings; a name is enough for members
    kind: Literal["document"] = "document"

    def problems(self) -> Iterator[Message]:
        known = {*NAMES, *self.headings}
        for place, name in enumerate(self.sections):
            if name not in known:
                expected = message("one of {names}, or headings for it", names=", ".join(NAMES))
                yield unexpected(f"sections[{place}]", repr(name), expected)
        for name, titles in self.headings.items():
            if not titles or not all(title.strip() for title in titles):
                yield message("headings.{name}: expected at least one heading, none of them empty", name=name)
        if not self.sections and not self.members:
            yield message("sections: nothing is asked for; expected at least one section, or members = true")


def wanted(rubric: Iterable[Criterion]) -> Wanted | None:
    """What the document criteria of a rubric ask to be looked for; None when there is none."""
    own = [criterion for criterion in rubric if isinstance(criterion, DocumentHandedIn)]
    if not own:
        return None
    named = dict.fromkeys(name for criterion in own for name in criterion.sections)
    added: dict[str, Sequence[str]] = {}
    for criterion in own:
        for name, titles in criterion.headings.items():
            added[name] = (*added.get(name, ()), *titles)
    return Wanted(tuple(named), added)


def score(criterion: DocumentHandedIn, run: Run) -> Score:
    """Each section, and each member's having a part, is an equal share. What cannot be read is not judged."""
    document = run.document
    if document is None or document.problem is not None:
        nothing = document is None or document.none
        reason = document.problem if document and document.problem else message("No PDF was handed in.")
        return Score(
            criterion=criterion.id,
            title=criterion.title,
            points=0.0 if nothing else None,
            max=criterion.points,
            passed=False if nothing else None,
            reason=reason,
            review=reason,
        )
    asked = [section for section in document.sections if section.name in criterion.sections]
    missing = [section for section in asked if not is_written(section, criterion.min_characters)]
    wishes = len(criterion.sections) + criterion.members
    parts = criterion.members and bool(document.members) and all(member.part for member in document.members)
    share = (len(asked) - len(missing) + parts) / wishes
    return Score(
        criterion=criterion.id,
        title=criterion.title,
        points=round(criterion.points * share, 2),
        max=criterion.points,
        passed=None,
        reason=_reason(criterion, document, missing),
        value=share,
        n=wishes,
        review=READ_IT,
    )


def is_written(section: Section, least: int) -> bool:
    return section.characters >= (2 if section.name == "members" else least)


def _reason(criterion: DocumentHandedIn, document: Document, missing: Sequence[Section]) -> Message:
    said = message(
        "{name} ({pages} p.): {found} of {n} sections were found.",
        name=document.name,
        pages=document.pages,
        found=len(criterion.sections) - len(missing),
        n=len(criterion.sections),
    )
    sentences = [said]
    absent = [_named(section.name, criterion) for section in missing if not section.heading]
    empty = [_named(section.name, criterion) for section in missing if section.heading]
    if absent:
        sentences.append(message("Not found: {names}.", names=join_list(absent)))
    if empty:
        sentences.append(message("Hardly anything stands below the heading: {names}.", names=join_list(empty)))
    if criterion.members:
        sentences.append(_about_members(document.members))
    return join_sentences(sentences)


def _about_members(members: Sequence[Member]) -> Message:
    idle = [member.name for member in members if not member.part]
    mascots = [member.name for member in members if member.mascot]
    if not members:
        return message("No member was found: write a line for each, such as 王小明：程式、訓練.")
    if idle:
        return message("Without a part: {names}.", names=join_list(idle))
    if mascots:
        return message(
            "All members have a part ({n}); the mascot is {names}.", n=len(members), names=join_list(mascots)
        )
    return message("All members have a part ({n}).", n=len(members))


def _named(section: str, criterion: DocumentHandedIn) -> Message:
    """A section of the teacher's own by its first heading."""
    return NAMES.get(section) or message("{name}", name=criterion.headings[section][0])
