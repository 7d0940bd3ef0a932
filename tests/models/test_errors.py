import pytest

from grader.i18n.catalogue import Translation
from grader.i18n.message import message, verbatim
from grader.models.errors import AssignmentError, DatasetError, IntakeError, TokenError, error_message

WORDS = Translation("xx", {"{n} rows": "{n} Zeilen"})


def test_an_error_keeps_its_message_for_translation() -> None:
    error = IntakeError(message("{n} rows", n=3))

    assert str(error) == "3 rows"
    assert WORDS.say(error.message) == "3 Zeilen"


def test_a_verbatim_message_with_braces_is_shown_as_it_is() -> None:
    error = DatasetError(verbatim("found {x}, expected {y}"))

    assert str(error) == WORDS.say(error.message) == "found {x}, expected {y}"


@pytest.mark.parametrize("n", [1, 30])
def test_an_assignment_error_shows_every_problem_on_its_own_line(n: int) -> None:
    error = AssignmentError([message("first.toml: wrong"), *[message("{n} rows", n=number) for number in range(1, n)]])

    assert len(error.problems) == n
    assert str(error).splitlines() == ["first.toml: wrong", *(f"{number} rows" for number in range(1, n))]
    assert WORDS.say(error.message).count("Zeilen") == n - 1


def test_the_message_of_any_exception_can_be_shown() -> None:
    assert str(error_message(TokenError(message("no token")))) == "no token"
    assert str(error_message(ValueError("{odd}"))) == "{odd}"
