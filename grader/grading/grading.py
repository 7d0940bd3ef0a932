"""Scores to a grade: arithmetic only, no files, no clock."""

from __future__ import annotations

from collections.abc import Sequence

from grader.grading.lateness import rules
from grader.i18n.message import Message, message
from grader.models.grade import Grade, Score
from grader.models.lateness import Lateness, LatePolicy
from grader.models.run import Outcome, Run
from grader.models.submission import Submission

MUCH_BROUGHT_KB = 60.0  # code and story seldom have 40; the answers for ten thousand pictures need about 60


def grade_scores(submission: Submission, run: Run, scores: Sequence[Score], policy: LatePolicy | None = None) -> Grade:
    """The sum of the points, less what lateness costs; None as soon as one criterion could not be judged."""
    known = [score.points for score in scores if score.points is not None]
    total = round(sum(known), 2) if len(known) == len(scores) else None
    reasons = _review_reasons(run, scores)
    late = _lateness(submission, policy, total)
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


def _lateness(submission: Submission, policy: LatePolicy | None, total: float | None) -> Lateness | None:
    # Where nothing was handed in there is nothing to be late.
    if policy is None or submission.notebook is None:
        return None
    return rules.judged(policy, submission.extension, submission.submitted_at, submission.late, total)


def _review_reasons(run: Run, scores: Sequence[Score]) -> list[Message]:
    reasons = []
    if run.outcome is Outcome.GRADER_FAULT:
        reasons.append(message("The grader itself failed here; nothing was taken off. Grade again, or by hand."))
    if run.outcome in (Outcome.MISSING, Outcome.FORBIDDEN):
        reasons.append(message("Nothing could be graded: see the reason and ask the student."))
    if any(fit.cut_short for fit in run.facts.fits):
        reasons.append(message("A training was cut short: its time was up. A larger budget may change the grade."))
    if run.brought_kb > MUCH_BROUGHT_KB:
        reasons.append(
            message(
                "Notebook and files bring {kb:.0f} kB with them. Everybody can get this set: look whether its answers "
                "are among them.",
                kb=run.brought_kb,
            )
        )
    if run.document is not None:
        reasons += run.document.doubts
    for score in scores:
        if score.review is not None and score.review not in reasons:  # a course may have many answers to read
            reasons.append(score.review)
    return reasons
