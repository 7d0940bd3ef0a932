from grader.i18n.catalogue import translation
from grader.i18n.message import join_lines, join_list, join_sentences, message, verbatim

CHINESE = translation("zh-TW")


def test_a_list_is_joined_as_each_language_does() -> None:
    names = join_list(["Ann", message("Accuracy"), "{Bob}"])

    assert str(names) == "Ann, Accuracy, {Bob}"
    assert CHINESE.say(names) == "Ann、準確率、{Bob}"


def test_a_long_list_is_cut_with_an_ellipsis() -> None:
    assert str(join_list(["a", "b", "c"], most=2)) == "a, b, …"


def test_sentences_are_joined_without_a_space_in_chinese() -> None:
    both = join_sentences([message("There are no predictions."), message("There is no code in the notebook.")])

    assert str(both) == "There are no predictions. There is no code in the notebook."
    assert " " not in CHINESE.say(both)


def test_many_problems_are_cut_with_a_note() -> None:
    problems = join_lines([verbatim(str(number)) for number in range(30)])

    assert str(problems).splitlines() == [*map(str, range(20)), "There are more problems; these are the first."]
