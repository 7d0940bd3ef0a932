from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.files.archives.entry_encoding import decode_names, guess_encoding
from tests.support.names import NAMES

TAIWAN = NAMES["Chinese, traditional"]
# Windows writes names in DOS code pages; some other programs use the Windows code pages.
WRITTEN = [
    ("Chinese, traditional", "cp950"),
    ("Chinese, simplified", "gbk"),
    ("Japanese", "cp932"),
    ("Korean", "cp949"),
    ("Cyrillic", "cp866"),
    ("Cyrillic", "cp1251"),
    ("Greek", "cp737"),
    ("Greek", "cp1253"),
    ("Hebrew", "cp862"),
    ("Hebrew", "cp1255"),
    ("Arabic", "cp720"),
    ("Arabic", "cp1256"),
    ("Thai", "cp874"),
    ("Western", "cp850"),
    ("Western", "cp1252"),
    ("Central European", "cp852"),
    ("Central European", "cp1250"),
    ("Turkish", "cp857"),
]


@pytest.mark.parametrize(("script", "encoding"), WRITTEN, ids=[" ".join(pair) for pair in WRITTEN])
def test_names_of_a_class_are_decoded_in_every_code_page(script: str, encoding: str) -> None:
    names = [f"{name}/hw1_{name}.ipynb" for name in NAMES[script]]
    assert decode_names([name.encode(encoding) for name in names]) == names


@pytest.mark.parametrize("script", NAMES)
def test_utf8_names_are_decoded_as_utf8(script: str) -> None:
    assert decode_names([name.encode() for name in NAMES[script]]) == list(NAMES[script])


@pytest.mark.parametrize("name", TAIWAN)
def test_a_single_name_from_taiwan_is_decoded(name: str) -> None:
    assert guess_encoding([name.encode("cp950")]) == "cp950"


@pytest.mark.parametrize("other", [script for script in NAMES if script != "Chinese, traditional"])
def test_names_in_two_encodings_in_one_archive_are_decoded(other: str) -> None:
    names = [*TAIWAN, *(name for name in NAMES[other] if len(name.encode()) - len(name) >= 6)]
    raw = [name.encode("cp950" if name in TAIWAN else "utf-8") for name in names]
    assert decode_names(raw) == names


@pytest.mark.parametrize("name", NAMES["Chinese, simplified"])
def test_words_of_other_names_help_to_guess(name: str) -> None:
    assert decode_names([f"{name}.csv".encode("gbk")], [f"{name} नमस्ते.csv"]) == [f"{name}.csv"]


def test_single_letters_of_other_names_are_ignored() -> None:
    known = ["HW_ปิยะ ศรีสุข_สมหญิง.txt", "งานที่สอง.ipynb"]
    assert decode_names(["HW_作業 1.ipynb".encode("cp950")], known) == ["HW_作業 1.ipynb"]


def test_short_names_that_are_utf8_by_accident_are_decoded_as_the_others() -> None:
    names = ["目录", "张伟", "李娜", "刘洋", "hw.ipynb"]
    assert "目录".encode("gbk").decode() != "目录"
    assert decode_names([name.encode("gbk") for name in names]) == names


def test_two_codes_of_one_character_stay_two_names() -> None:
    twice = [b"\xa2\xcc.ipynb", b"\xa4\x51.ipynb"]  # 十 in Big5
    assert twice[0].decode("cp950") == twice[1].decode("cp950")
    assert len(set(decode_names(twice))) == 2


def test_names_without_any_evidence_are_still_decoded() -> None:
    assert decode_names([b"\xa0\x82", b"hw.ipynb"]) == ["áé", "hw.ipynb"]
    assert (decode_names([]), guess_encoding([])) == ([], "utf-8")


@given(st.sets(st.binary(max_size=12), max_size=6))
def test_different_names_stay_different(names: set[bytes]) -> None:
    encoding = guess_encoding(names)
    assert len({name.decode(encoding) for name in names}) == len(names)
    texts = decode_names(sorted(names))
    # Two results can be equal only if encodings are mixed: the same text, encoded in two ways.
    assert len(set(texts)) == len(names) or any(_is_utf8(name) for name in names)


@given(st.sampled_from(WRITTEN), st.data())
def test_different_names_of_a_class_stay_different(written: tuple[str, str], data: st.DataObject) -> None:
    script, encoding = written
    names = data.draw(st.lists(st.sampled_from(NAMES[script]), unique=True, min_size=1))
    assert len(set(decode_names([name.encode(encoding) for name in names]))) == len(names)


def _is_utf8(name: bytes) -> bool:
    try:
        return not name.isascii() and bool(name.decode())
    except UnicodeDecodeError:
        return False
