"""Names of zips from all over the world, which do not say how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.files.archives.entry_encoding import decode_names, guess_encoding
from tests.support.names import NAMES

TAIWAN = NAMES["Chinese, traditional"]
# Which programs write which: the code page of DOS by Windows' own, of Windows by some others.
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


@pytest.mark.parametrize(("script", "encoding"), WRITTEN, ids=[" ".join(each) for each in WRITTEN])
def test_a_class_is_read_as_it_was_written(script: str, encoding: str) -> None:
    names = [f"{name}/hw1_{name}.ipynb" for name in NAMES[script]]
    assert decode_names([name.encode(encoding) for name in names]) == names


@pytest.mark.parametrize("script", NAMES)
def test_utf8_is_read_as_such(script: str) -> None:
    assert decode_names([name.encode() for name in NAMES[script]]) == list(NAMES[script])


@pytest.mark.parametrize("name", TAIWAN)
def test_a_single_name_from_taiwan_is_read(name: str) -> None:
    assert guess_encoding([name.encode("cp950")]) == "cp950"


@pytest.mark.parametrize("other", [script for script in NAMES if script != "Chinese, traditional"])
def test_two_programs_wrote_into_one_archive(other: str) -> None:
    names = [*TAIWAN, *(name for name in NAMES[other] if len(name.encode()) - len(name) >= 6)]
    raw = [name.encode("cp950" if name in TAIWAN else "utf-8") for name in names]
    assert decode_names(raw) == names


@pytest.mark.parametrize("name", NAMES["Chinese, simplified"])
def test_what_the_other_names_have_is_a_hint(name: str) -> None:
    assert decode_names([f"{name}.csv".encode("gbk")], [f"{name} नमस्ते.csv"]) == [f"{name}.csv"]


def test_single_letters_of_other_names_are_no_hint() -> None:
    known = ["HW_ปิยะ ศรีสุข_สมหญิง.txt", "งานที่สอง.ipynb"]
    assert decode_names(["HW_作業 1.ipynb".encode("cp950")], known) == ["HW_作業 1.ipynb"]


def test_what_is_utf8_by_accident_is_no_utf8() -> None:
    names = ["目录", "张伟", "李娜", "刘洋", "hw.ipynb"]
    assert "目录".encode("gbk").decode() != "目录"
    assert decode_names([name.encode("gbk") for name in names]) == names


def test_two_places_of_one_character_stay_two_names() -> None:
    twice = [b"\xa2\xcc.ipynb", b"\xa4\x51.ipynb"]  # 十 in Big5
    assert twice[0].decode("cp950") == twice[1].decode("cp950")
    assert len(set(decode_names(twice))) == 2


def test_names_that_say_nothing_are_read_all_the_same() -> None:
    assert decode_names([b"\xa0\x82", b"hw.ipynb"]) == ["áé", "hw.ipynb"]
    assert (decode_names([]), guess_encoding([])) == ([], "utf-8")


@given(st.sets(st.binary(max_size=12), max_size=6))
def test_no_guess_makes_one_name_of_two(names: set[bytes]) -> None:
    encoding = guess_encoding(names)
    assert len({name.decode(encoding) for name in names}) == len(names)
    texts = decode_names(sorted(names))
    # Only where two encodings are mixed can two be the same, and then they are: the same text, written twice.
    assert len(set(texts)) == len(names) or any(_is_utf8(name) for name in names)


@given(st.sampled_from(WRITTEN), st.data())
def test_a_part_of_a_class_is_never_made_one(written: tuple[str, str], data: st.DataObject) -> None:
    script, encoding = written
    names = data.draw(st.lists(st.sampled_from(NAMES[script]), unique=True, min_size=1))
    assert len(set(decode_names([name.encode(encoding) for name in names]))) == len(names)


def _is_utf8(name: bytes) -> bool:
    try:
        return not name.isascii() and bool(name.decode())
    except UnicodeDecodeError:
        return False
