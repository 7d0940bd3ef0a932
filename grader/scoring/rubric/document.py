"""Kind ``document``: the report that was submitted as a PDF.

What it checks: the required sections are there, by their headings, with text below them; with ``members``, each member
has a task. A member who is listed as the mascot is pointed out. A person judges the quality: points are proposed.
Why it matters: no notebook says what was intended, done and found, and by whom.
Example: ``kind = "document"``, ``sections = ["members", "purpose", "results"]``, ``members = true``, ``points = 20``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from annotated_types import Gt

from grader.i18n.message import Message, join_list, join_sentences, message, unexpected, verbatim
from grader.models.assignment import Criterion
from grader.models.grade import Score, scored
from grader.models.pdf_report import Document, Member, Section
from grader.models.run import Run
from grader.scoring.report_pdf.document_reader import Wanted
from grader.scoring.report_pdf.headings import NAMES

READ_IT = message("Points were only proposed, by the sections of the report: read it and decide.")


@dataclass(frozen=True, kw_only=True)
class DocumentHandedIn(Criterion):
    sections: tuple[str, ...] = ("members", "purpose", "content", "preprocessing", "model", "training", "results")
    members: bool = False  # each member must have a task
    headings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # more for known sections, or new sections
    min_characters: Annotated[int, Gt(0)] = 20  # letters below a section's headings; a name is enough for "members"
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
    """Return the sections that the document criteria of a rubric need; None if there is no such criterion."""
    criteria = [criterion for criterion in rubric if isinstance(criterion, DocumentHandedIn)]
    if not criteria:
        return None
    sections = dict.fromkeys(name for criterion in criteria for name in criterion.sections)
    added: dict[str, Sequence[str]] = {}
    for criterion in criteria:
        for name, titles in criterion.headings.items():
            added[name] = (*added.get(name, ()), *titles)
    return Wanted(tuple(sections), added)


def score(criterion: DocumentHandedIn, run: Run) -> Score:
    """Propose an equal share of the points for each section and for the members' tasks.

    A report that a machine cannot read is left to a person; no report, or one that nobody can open, earns 0.
    """
    document = run.document
    if document is None or document.problem is not None:
        nothing = document is None or document.none
        reason = document.problem if document and document.problem else message("No PDF was submitted.")
        points, passed = (0.0, False) if nothing else (None, None)
        return scored(criterion, points, reason, passed=passed, review=reason)
    asked = [section for section in document.sections if section.name in criterion.sections]
    missing = [section for section in asked if not is_written(section, criterion.min_characters)]
    requirements = len(criterion.sections) + criterion.members
    all_have_tasks = criterion.members and bool(document.members) and all(member.part for member in document.members)
    share = (len(asked) - len(missing) + all_have_tasks) / requirements
    return scored(
        criterion,
        round(criterion.points * share, 2),
        _reason(criterion, document, missing),
        passed=None,
        value=share,
        n=requirements,
        review=READ_IT,
    )


def is_written(section: Section, least: int) -> bool:
    return section.characters >= (2 if section.name == "members" else least)


def _reason(criterion: DocumentHandedIn, document: Document, missing: Sequence[Section]) -> Message:
    found = message(
        "{name} ({pages} p.): {found} of {n} sections were found.",
        name=document.name,
        pages=document.pages,
        found=len(criterion.sections) - len(missing),
        n=len(criterion.sections),
    )
    sentences = [found]
    absent = [_section_name(section.name, criterion) for section in missing if not section.heading]
    empty = [_section_name(section.name, criterion) for section in missing if section.heading]
    if absent:
        sentences.append(message("Not found: {names}.", names=join_list(absent)))
    if empty:
        sentences.append(message("Almost no text below the heading: {names}.", names=join_list(empty)))
    if criterion.members:
        sentences.append(_about_members(document.members))
    return join_sentences(sentences)


def _about_members(members: Sequence[Member]) -> Message:
    idle = [member.name for member in members if not member.part]
    mascots = [member.name for member in members if member.mascot]
    if not members:
        return message("No member was found: write one line for each, such as 王小明：程式、訓練.")
    if idle:
        return message("Members without a task: {names}.", names=join_list(idle))
    if mascots:
        names = join_list(mascots)
        return message("All members have a task ({n}); the mascot is {names}.", n=len(members), names=names)
    return message("All members have a task ({n}).", n=len(members))


def _section_name(section: str, criterion: DocumentHandedIn) -> Message:
    """Return the name of a known section, or the first heading of one that the assignment adds."""
    return NAMES.get(section) or verbatim(criterion.headings[section][0])
