"""The pictures section of a report: all facts in every language, and names are escaped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.i18n.catalogue import LANGUAGES
from grader.i18n.message import message
from grader.models.photo_survey import PhotoClass, PhotoSurvey
from grader.report.pages import write_student_report
from tests.support.graded_class import ASSIGNMENT, small_class

SURVEY = PhotoSurvey(
    classes=(PhotoClass("ㄅ", 12, 10, 2, 9, b"\xff\xd8\xff"), PhotoClass("<script>alert(1)</script>", 5, 5, 1, 4)),
    found=20,
    readable=17,
    smallest=(10, 10),
    median=(20, 30),
    largest=(4000, 3000),
    copies=1,
    alike=2,
    unreadable=(
        message("{name}: {why}.", name="<b>.jpg", why=message("it is damaged or cut off ({reason})", reason="x")),
    ),
    two_labels=(message("The same photo is in several classes ({labels}): {names}.", labels="a, b", names="1, 2"),),
    notes=(message("The photos of {folders} were combined.", folders="train, test"),),
)


def page(survey: PhotoSurvey, folder: Path, language: str = "en") -> str:
    graded = small_class()[0]
    shown = replace(graded, run=replace(graded.run, photo_survey=survey))
    return write_student_report(shown, ASSIGNMENT, language=language, folder=folder / language).read_text("utf-8")


def test_all_facts_are_shown_and_names_are_escaped(tmp_path: Path) -> None:
    text = page(SURVEY, tmp_path)
    assert 'src="data:image/jpeg;base64,/9j/"' in text
    assert "17 of 20 files are readable pictures, in 2 classes. 15 of them are different" in text
    assert "10 × 10 to 4000 × 3000 pixels, the median 20 × 30." in text
    assert "The smallest class has 50% of the largest." in text
    for part in ("&lt;b&gt;.jpg: it is damaged", "several classes (a, b): 1, 2.", "The photos of train, test were"):
        assert part in text
    assert "<script>" not in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_survey_without_pictures_shows_the_reason(language: str, tmp_path: Path) -> None:
    text = page(
        PhotoSurvey(
            unmeasured=message("No photos were found. Expected: a folder for each class, with its photos in it.")
        ),
        tmp_path,
        language,
    )
    assert ("No photos were found" in text) == (language == "en")
    assert "<table" not in text[text.index("<h2>" + ("The pictures" if language == "en" else "圖片")) :][:1200]
