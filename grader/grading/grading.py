"""Combine scores into a grade. Pure arithmetic: no files, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from grader.grading.lateness.rules import assess_lateness
from grader.i18n.message import Message, message
from grader.models.grade import Grade, Score
from grader.models.lateness import LatePolicy
from grader.models.run import USES_WHOLE_BATCH, Outcome, Run
from grader.models.submission import Submission

# Code and text of an honest notebook rarely exceed 40 kB; labels for ten thousand images need about 60.
MUCH_KB = 60.0
# Numbers and codes in the code of honest homework take less than 0.25 kB. A table that finds sixty photos again takes
# half a kilobyte, one of four hundred three.
MUCH_DATA_KB = 1.0


def grade_scores(submission: Submission, run: Run, scores: Sequence[Score], policy: LatePolicy | None = None) -> Grade:
    """Return the sum of the points less the late penalty; the total is None if any criterion has no points."""
    known = [score.points for score in scores if score.points is not None]
    total = round(sum(known), 2) if len(known) == len(scores) else None
    reasons = _review_reasons(run, scores)
    late = None if policy is None else assess_lateness(policy, submission, total)
    if late is not None and late.review is not None:
        reasons.append(late.review)
    return Grade(
        scores=tuple(scores),
        total=total if total is None or late is None else round(total - late.taken_off, 2),
        max=sum(score.max for score in scores),
        late=submission.late if late is None or late.late is None else late.late,
        lateness=late,
        review_reasons=tuple(reasons),
    )


def _review_reasons(run: Run, scores: Sequence[Score]) -> list[Message]:
    reasons = []
    if run.outcome is Outcome.GRADER_FAULT:
        reasons.append(message("The grader itself failed; no points were taken off. Grade again, or grade by hand."))
    if run.outcome in (Outcome.MISSING, Outcome.FORBIDDEN):
        reasons.append(message("Nothing could be graded: see the reason and ask the student."))
    reasons += run.reviews
    if any(fit.samples_reached for fit in run.facts.fits):
        reasons.append(
            message("A training run was stopped by the limit of training samples, as on every other machine.")
        )
    if any(fit.cut_short and not fit.samples_reached for fit in run.facts.fits):
        reasons.append(message("A training run was stopped by the time limit. A larger budget may change the grade."))
    reasons += _carried_reasons(run)
    reasons += run.doubts
    if run.withheld is not None and run.depends_on_neighbours:  # the score itself has room for one reason
        reasons.append(USES_WHOLE_BATCH)
    if run.document is not None:
        reasons += run.document.doubts
    for score in scores:
        if score.review is not None and score.review not in reasons:  # the cells of a course often share one reason
            reasons.append(score.review)
    return reasons


def _carried_reasons(run: Run) -> list[Message]:
    """Return why a person must check whether the submission contains its answers."""
    carried = run.carried
    if carried is None:
        return []
    if run.photo_survey is None:
        if carried.kb <= MUCH_KB:
            return []
        return [
            message(
                "The notebook and its files hold {kb:.0f} kB. This dataset is public: check whether the submission "
                "contains its labels.",
                kb=carried.kb,
            )
        ]
    if carried.data_kb > MUCH_DATA_KB:
        return [
            message(
                "The code and the files beside the photos hold {kb:.1f} kB of numbers and codes, usual are {most:g} "
                "kB. Check whether they describe the photos that were held out.",
                kb=carried.data_kb, most=MUCH_DATA_KB,
            )
        ]  # fmt: skip
    if carried.kb > MUCH_KB:
        return [
            message(
                "The code and the files beside the photos hold {kb:.0f} kB, usual are {most:g} kB. Check whether they "
                "describe the photos that were held out.",
                kb=carried.kb, most=MUCH_KB,
            )
        ]  # fmt: skip
    return []
