from __future__ import annotations

import html

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.notebook.written_text import PASSAGE, count_written, visible_characters

STORY = "我先把八個症狀的數值標準化，再用兩層神經網路訓練；損失在第二十個週期之後不再下降，所以提早停止。"
WORDS = "First I plotted every symptom, because a wrong scale had spoilt my earlier attempt."


def count(*sources: str, known: tuple[str, ...] = ()) -> int:
    return sum(count_written(sources, known))


@pytest.mark.parametrize("text", [STORY, WORDS, "# 心得\n\n" + STORY, f"- {STORY}\n- {WORDS}"])
def test_plain_text_counts_every_character(text: str) -> None:
    plain = text.replace("# ", "").replace("- ", "")
    assert count(text) == len("".join(plain.split()))


@pytest.mark.parametrize(
    "shown",
    [
        "<details><summary>心得</summary>TEXT</details>",
        "<p style='color:red; font-size:14px; text-align:center'>TEXT</p>",
        "<div style='background-color:#222'><span style='color:white'>TEXT</span></div>",
        "<div style='background:navy;color:#ffffff'>TEXT</div>",
        "<font color='blue' size='5'>TEXT</font>",
        "<table width='100%'><tr><td>TEXT</td></tr></table>",
        "<div style='width:50%; height:200px; margin-left:20px'>TEXT</div>",
        "> TEXT",
        "**TEXT**",
        "[TEXT](https://example.org/page)",
        "| a |\n|---|\n| TEXT |",
        "```\nTEXT\n```",
    ],
)
def test_styled_text_counts(shown: str) -> None:
    assert visible_characters(STORY) in visible_characters(shown.replace("TEXT", STORY))


HIDDEN = [
    "<!-- TEXT -->",
    "<!--\n\nTEXT\n\n-->",
    "<!-- TEXT",
    "[//]: # (TEXT)",
    '[note]: https://example.org "TEXT"',
    "![TEXT](picture.png)",
    "<img alt='TEXT' src='picture.png'>",
    "[x](https://example.org/TEXT 'TEXT')",
    "<a href='https://example.org/TEXT' title='TEXT'>x</a>",
    "<p hidden>TEXT</p>",
    "<p style='display:none'>TEXT</p>",
    "<p style='DISPLAY : NONE !important'>TEXT</p>",
    "<p style='dis/**/play:none'>TEXT</p>",
    "<div style='visibility:hidden'><b style='color:black'>TEXT</b></div>",
    "<p style='opacity:0'>TEXT</p>",
    "<div style='opacity:.4'><p style='opacity:.4'>TEXT</p></div>",
    "<p style='font-size:0'>TEXT</p>",
    "<p style='font-size:1px'>TEXT</p>",
    "<div style='font-size:50%'><p style='font-size:.5em'>TEXT</p></div>",
    "<p style='font:1px/1 serif'>TEXT</p>",
    "<p style='color:white'>TEXT</p>",
    "<p style='color:#fff'>TEXT</p>",
    "<p style='color:#FEFEFE'>TEXT</p>",
    "<p style='color:rgb(255, 255, 255)'>TEXT</p>",
    "<p style='color:rgba(0,0,0,0)'>TEXT</p>",
    "<p style='color:transparent'>TEXT</p>",
    "<p style='color:#00000000'>TEXT</p>",
    "<p style='color:red;background:red'>TEXT</p>",
    "<font color='white'>TEXT</font>",
    "<p style='height:0;overflow:hidden'>TEXT</p>",
    "<p style='position:absolute;left:-9999px'>TEXT</p>",
    "<p style='text-indent:-9999px'>TEXT</p>",
    "<p style='transform:scale(0)'>TEXT</p>",
    "<script>TEXT</script>",
    "<style>TEXT</style>",
    "<template>TEXT</template>",
    "<textarea>TEXT</textarea>",
    "$\\phantom{TEXT}$",
    "$\\color{white}{TEXT}$",
    "$$ % TEXT\n$$",
]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_text_that_nobody_sees_counts_for_nothing(hidden: str) -> None:
    assert count(hidden.replace("TEXT", "沒有人看得到" * 3 + WORDS.replace(" ", "-"))) <= 10


@given(
    st.sampled_from(HIDDEN[:6] + HIDDEN[9:34]), st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40)
)
def test_hidden_text_leaves_the_text_around_it_alone(hidden: str, inside: str) -> None:
    alone = count(f"{STORY}\n\n{hidden.replace('TEXT', '')}\n\nThe end")
    assert count(f"{STORY}\n\n{hidden.replace('TEXT', inside)}\n\nThe end") <= alone + 1


@given(st.text(max_size=200))
def test_any_text_counts_at_most_its_own_characters(text: str) -> None:
    assert 0 <= count(html.escape(text)) <= 6 * len(text)
    assert count(text) <= len("".join(text.split())) * 3


@given(
    st.lists(
        st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u3164\u2800\ufe0f\u034f\U000e0041\t \u3000"), min_size=1
    )
)
def test_invisible_characters_count_for_nothing(invisible: list[str]) -> None:
    assert count("a" + "".join(invisible) + "b") == 2


@settings(max_examples=40)
@given(st.text("abc效果 好", min_size=1, max_size=PASSAGE), st.integers(40, 80))
def test_repeated_text_counts_once(unit: str, times: int) -> None:
    assert count(unit * times) <= len(unit)
    assert count(*[unit] * times) <= len(unit)


def test_text_repeated_in_another_cell_in_capitals_or_between_spaces_counts_once() -> None:
    once = count(WORDS)
    assert count(WORDS, WORDS, WORDS.upper(), WORDS.replace(" ", "  "), " ".join(WORDS)) == once


def test_a_phrase_that_honest_texts_repeat_counts_every_time() -> None:
    phrase = "validation loss"
    assert count(f"The {phrase} rose. 驗證損失上升。", f"Then the {phrase} fell. 驗證損失下降。") == 62


def test_text_of_the_starter_counts_for_nothing_even_in_an_edited_cell() -> None:
    assert count(WORDS, known=(WORDS,)) == 0
    assert count(f"{WORDS} 完成", known=(WORDS,)) == 2


def test_accents_count_as_letters_but_not_piles_of_them() -> None:
    assert count("e\u0301") == 1
    assert count("a" + "\u0316" * 500) <= 3


def test_text_after_a_large_embedded_picture_counts() -> None:
    assert count(f"![](data:image/png;base64,{'QUJD' * 60_000}=)\n\n{STORY}") == len(STORY)


def test_data_and_addresses_are_not_written_text() -> None:
    assert count("https://example.org/a-long-address，說明在這裡") == 6
    assert count("QUJD" * 30 + " 說明") == 2


def test_very_long_and_deeply_nested_text_is_read_quickly() -> None:
    assert count(">" * 5000 + "x") >= 0
    assert count("<div>" * 5000 + "x") >= 0
    assert count(*["[" * 2000] * 10) >= 0
