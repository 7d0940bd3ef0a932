"""Reading PDF reports: sections and members in many layouts, unreadable files, and attacks."""

from __future__ import annotations

import io
import string
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject, TextStringObject
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import SimpleDocTemplate, Table

from grader.models.pdf_report import Member
from grader.scoring.report_pdf import headings, members, text_cleanup
from grader.scoring.report_pdf.document_reader import Wanted, read_document
from tests.support.builders import zip_bytes
from tests.support.reports import CHINESE, EVERYTHING, REPORT, attachment, changed, drawn, found, read, typed

ALL = ["members", "purpose", "content", "preprocessing", "model", "training", "results"]
KNOWN = headings.known_headings({})


# ---------------------------------------------------------------- text


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("⼀、⽬的", "一、目的"),
        ("⻑⽅形的⽂件", "長方形的文件"),
        ("ﬁnal ﬂow", "final flow"),
        ("研 究 目 的", "研究目的"),
        ("王小明 程式", "王小明 程式"),
        ("pre-\nprocessing", "preprocessing"),
        ("Grad-\nCAM", "Grad-\nCAM"),
        ("（一）組員：", "(一)組員:"),
        ("a\u00adb\u200bc\ufeff", "abc"),
        ("", ""),
    ],
    ids=["radicals", "radicals of the supplement", "ligatures", "set apart", "two words", "a broken word", "a name",
         "full width", "invisible characters", "nothing"],
)  # fmt: skip
def test_extracted_text_is_normalised(raw: str, plain: str) -> None:
    assert text_cleanup.normalise_text(raw) == plain


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=60))
def test_normalising_never_fails_and_is_idempotent(raw: str) -> None:
    once = text_cleanup.normalise_text(raw)
    assert text_cleanup.normalise_text(once) == once or "-" in raw or "\u2010" in raw


# ---------------------------------------------------------------- headings


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("一、組員", ("members",)),
        ("(一) 研究動機與目的", ("purpose",)),
        ("1. Motivation", ("purpose",)),
        ("2.1 Data Preprocessing", ("preprocessing",)),
        ("Ⅲ. 模型架構", ("model",)),
        ("IV. Model Design and Training", ("model", "training")),
        ("• 訓練過程：", ("training",)),
        ("第三章 結果與討論", ("results",)),
        ("【模型設計】", ("model",)),
        ("# Results", ("results",)),
        ("五、模型設計 Model Design", ("model",)),
        ("結果Results", ("results",)),
        ("我們的專題內容介紹", ("content",)),
        ("Members and their roles", ("members",)),
        ("資料蒐集與前處理", ("content", "preprocessing")),
        ("訓 練 結 果", ("results",)),
        ("RESULTS", ("results",)),
    ],
)
def test_a_heading_is_recognised_with_any_numbering(title: str, named: tuple[str, ...]) -> None:
    (_before, passage) = headings.split_at_headings([text_cleanup.normalise_text(title)], KNOWN)
    assert passage.sections == named


@pytest.mark.parametrize(
    "line",
    [
        "二、研究目的 ........ 3",
        "模型設計…………5",
        "目的 3",
        "Contents",
        "我們的模型有三層卷積",
        "the results were better than we thought",
        "訓練資料總共有三百張",
        "目的地是台北",
        "remodelling",
        "2026 3 5",
        "",
    ],
)
def test_other_lines_are_not_headings(line: str) -> None:
    assert len(headings.split_at_headings([text_cleanup.normalise_text(line)], KNOWN)) == 1


@pytest.mark.parametrize("lines", ["三、資料\n前處理", "三、\n前處理", "3.\nPreprocessing"])
def test_a_heading_split_over_two_lines_is_recognised(lines: str) -> None:
    (_before, passage) = headings.split_at_headings([text_cleanup.normalise_text(lines + "\n照片縮小")], KNOWN)
    assert (passage.sections, passage.lines) == (("preprocessing",), ["照片縮小"])


def test_the_task_of_a_member_is_not_a_heading() -> None:
    lines = "組員\n王小明\n資料蒐集\n李美玲\ns1234\n模型訓練\n目的\n我們想要讓電腦看懂手寫的注音符號"
    assert [passage.heading for passage in headings.split_at_headings([lines], KNOWN)] == ["", "組員", "目的"]
    names_alone = "組員\n王小明、李美玲\n模型設計\n我們用了三層卷積再加上兩層全連接層"
    assert [passage.heading for passage in headings.split_at_headings([names_alone], KNOWN)] == ["", "組員", "模型設計"]


def test_many_lines_are_read_in_seconds() -> None:
    hostile = ["." * 20_000, "目的:" + "." * 20_000, "\n".join("目的模" for _ in range(20_000)), "一、" * 10_000] * 5
    began = time.perf_counter()
    found = headings.split_at_headings(hostile, KNOWN)
    members.find_members(line for passage in found for line in passage.lines)
    assert time.perf_counter() - began < 10


def test_text_after_a_colon_belongs_to_the_section() -> None:
    (section,) = headings.count_sections(headings.split_at_headings(["目的:認識注音符號"], KNOWN), ["purpose"])
    assert section.characters == 6


def test_headings_without_text_count_no_characters() -> None:
    contents = "\n".join(f"{number}. {name}" for number, name in enumerate(["目的", "模型", "結果"] * 100, 1))
    found = headings.split_at_headings([contents], KNOWN)
    assert [section.characters for section in headings.count_sections(found, ["purpose", "model", "results"])] == [
        0,
        0,
        0,
    ]


def test_a_repeated_line_counts_once() -> None:
    found = headings.split_at_headings(["目的\n" + "寫了又寫寫了又寫\n" * 50 + "結果\n寫了又寫寫了又寫"], KNOWN)
    assert [section.characters for section in headings.count_sections(found, ["purpose", "results"])] == [8, 0]


def test_an_assignment_can_add_headings() -> None:
    known = headings.known_headings({"safety": ["安全", "Safety rules"], "purpose": ["為什麼"]})
    found = headings.split_at_headings(["一、安全\n不要碰電線\n2) SAFETY RULES\n小心\n三、為什麼\n因為想做"], known)
    assert {section.name: section.characters for section in headings.count_sections(found, ["safety", "purpose"])} == {
        "safety": 7,
        "purpose": 4,
    }


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet=string.printable + "一二、（）：目的模型訓練結果組員\n", max_size=80), max_size=4))
def test_any_text_can_be_searched_for_headings(pages: list[str]) -> None:
    tidy = [text_cleanup.normalise_text(page) for page in pages]
    found = headings.split_at_headings(tidy, KNOWN)
    lines = sum(bool(line.strip()) for page in tidy for line in page.split("\n"))
    assert len(found) - 1 <= lines
    assert sum(section.characters for section in headings.count_sections(found, ALL)) <= 7 * sum(map(len, tidy))


# ---------------------------------------------------------------- members


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["王小明：程式、訓練"], [("王小明", "程式、訓練")]),
        (["組員 王小明 (s1234) 負責 資料蒐集"], [("王小明", "資料蒐集")]),
        (["Amy Chen - data collection"], [("Amy Chen", "data collection")]),
        (["1. 王小明：程式", "2. 李美玲：報告"], [("王小明", "程式"), ("李美玲", "報告")]),
        (["姓名 學號 分工", "王小明 110123 程式", "歐陽美玲 1101 拍照"], [("王小明", "程式"), ("歐陽美玲", "拍照")]),
        (["組長：王小明", "組員：李美玲、陳大文"], [("王小明", ""), ("李美玲", ""), ("陳大文", "")]),
        (["程式：王小明、李美玲", "報告：李美玲"], [("王小明", "程式"), ("李美玲", "程式; 報告")]),
        (["王小明", "寫程式、訓練模型"], [("王小明", "寫程式、訓練模型")]),
        (["王小明(資料蒐集)"], [("王小明", "資料蒐集")]),
        (["| 王小明 | 程式 |"], [("王小明", "程式")]),
        (["阿宏：畫圖"], [("阿宏", "畫圖")]),
        (["Name Part", "Amy Chen data collection", "Bob Wu labelling"],
         [("Amy Chen", "data collection"), ("Bob Wu", "labelling")]),
        (["指導老師：林老師", "班級：三年二班", "日期：2026/3/5"], []),
        (["我們一起討論之後決定怎麼分工。"], []),
        ([], []),
    ],
)  # fmt: skip
def test_members_are_found_with_their_tasks(lines: list[str], expected: list[tuple[str, str]]) -> None:
    assert [(member.name, member.part) for member in members.find_members(map(text_cleanup.normalise_text, lines))] == [
        (name, text_cleanup.normalise_text(part)) for name, part in expected
    ]


@pytest.mark.parametrize(
    "line", ["陳大文：吉祥物", "吉祥物：陳大文", "陳大文 (吉祥物)", "陳大文 mascot", "陳大文 負責 吉祥物"]
)
def test_the_mascot_is_marked(line: str) -> None:
    (member,) = members.find_members([text_cleanup.normalise_text(line)])
    assert member == Member("陳大文", member.part, mascot=True) and member.part


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(alphabet=string.printable + "王小明程式：、（）|吉祥物負責", max_size=120), max_size=60))
def test_any_text_can_be_searched_for_members(lines: list[str]) -> None:
    named = members.find_members(map(text_cleanup.normalise_text, lines))
    assert len(named) <= members.MAX_MEMBERS
    assert all(0 < len(member.name) <= members.MAX_NAME and len(member.part) <= members.MAX_PART for member in named)
    assert len({member.name for member in named}) == len(named)


# ---------------------------------------------------------------- layouts


def two_columns(canvas: Canvas) -> None:
    canvas.setFont(CHINESE, 9)
    lines = REPORT.split("\n")
    half = len(lines) // 2
    for column in (lines[:half], lines[half:]):
        for place, line in enumerate(column):
            canvas.drawString(40 if column[0] == lines[0] else 310, 780 - 14 * place, line[:28])


def table() -> bytes:
    buffer = io.BytesIO()
    rows = [
        ["姓名", "學號", "工作"],
        ["王小明", "s110", "程式、訓練"],
        ["李美玲", "s111", "資料蒐集"],
        ["陳大文", "s112", "吉祥物"],
    ]
    style = [("FONTNAME", (0, 0), (-1, -1), CHINESE), ("GRID", (0, 0), (-1, -1), 0.5, "black")]
    title = Table([["組員分工"]], style=style)
    SimpleDocTemplate(buffer, pagesize=A4).build([title, Table(rows, style=style)])
    return buffer.getvalue()


def test_all_sections_of_a_plain_report_are_found(tmp_path: Path) -> None:
    document = read_document([attachment(tmp_path, typed(REPORT))], EVERYTHING)
    assert found(document) == ALL and document.problem is None and document.pages == 1
    assert document.sections[0].heading == "一、組員與分工"
    assert [(member.name, member.mascot) for member in document.members] == [
        ("王小明", False),
        ("李美玲", False),
        ("陳大文", True),
    ]
    assert [str(doubt) for doubt in document.doubts] == ["Listed as the mascot, without a task: 陳大文."]


def test_two_columns_are_read(tmp_path: Path) -> None:
    document = read(tmp_path, drawn(two_columns))
    assert found(document) == ALL and len(document.members) == 3


def test_members_in_a_table_are_found(tmp_path: Path) -> None:
    document = read(tmp_path, table())
    assert document.members == (
        Member("王小明", "程式、訓練"),
        Member("李美玲", "資料蒐集"),
        Member("陳大文", "吉祥物", mascot=True),
    )


def test_a_table_of_contents_is_not_a_section(tmp_path: Path) -> None:
    contents = "目錄\n一、目的 ...... 2\n二、模型設計 ...... 2"
    document = read(tmp_path, typed(contents, "一、目的\n認識注音符號的形狀\n二、模型設計\n三層卷積神經網路"))
    assert {section.name: (section.page, section.characters) for section in document.sections if section.heading} == {
        "purpose": (2, 9),
        "model": (2, 8),
    }


def test_a_report_in_english_is_read(tmp_path: Path) -> None:
    english = (
        "1. Team members\nAmy Chen - data collection\nBob Wu: training, report\n"
        "2. Purpose\nWe want to know whether a computer can read handwriting.\n3. Results\nIt reached 93 percent."
    )
    document = read(tmp_path, typed(english), wanted=Wanted(("members", "purpose", "results")))
    assert found(document) == ["members", "purpose", "results"]
    assert [member.name for member in document.members] == ["Amy Chen", "Bob Wu"]


# ---------------------------------------------------------------- unreadable files


def scanned() -> bytes:
    buffer = io.BytesIO()
    Image.new("L", (600, 800), 200).save(buffer, "PDF")
    return buffer.getvalue()


def locked() -> bytes:
    return changed(typed(REPORT), lambda writer: writer.encrypt("secret", algorithm="RC4-128"))


def with_owner_only(algorithm: str) -> bytes:
    return changed(typed(REPORT), lambda writer: writer.encrypt("", "owner", algorithm=algorithm))


DOCX = zip_bytes({"word/document.xml": b"<w:document/>", "[Content_Types].xml": b"<Types/>"})


@pytest.mark.parametrize(
    ("name", "content", "none", "expected"),
    [
        ("report.pdf", DOCX, True, "is named .pdf but is a Word document"),
        ("report.pdf", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), True, "an old Office document"),
        ("report.pdf", b"<!doctype html><html>", True, "a web page"),
        ("report.pdf", b"", True, "an empty file"),
        ("report.docx", DOCX, True, "report.docx is a Word document. Open it in its program, save it as PDF"),
        ("report.pages", zip_bytes({"Index/Document.iwa": b"x"}), True, "a Pages document"),
        ("report.odt", b"PK\x03\x04", True, "an OpenDocument file"),
        ("photo.png", b"\x89PNG", True, "No PDF was submitted."),
        ("report.pdf", locked(), True, "locked with a password"),
        ("report.pdf", typed(REPORT)[:300], False, "damaged or cut off"),
        ("report.pdf", b"%PDF-1.7\n" + b"x" * 5000, False, "damaged or cut off"),
        ("report.pdf", scanned(), False, "a scan"),
        ("report.pdf", typed(""), False, "almost no readable text"),
    ],
    ids=["renamed docx", "renamed doc", "renamed page", "empty", "docx", "pages", "odt", "no document", "locked",
         "cut off", "rubbish", "scanned", "blank"],
)  # fmt: skip
def test_an_unreadable_file_has_its_problem(
    tmp_path: Path, name: str, content: bytes, none: bool, expected: str
) -> None:
    document = read(tmp_path, content, name)
    assert document.problem is not None and expected in str(document.problem)
    assert document.none == none and document.sections == () and document.members == ()


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-256"])
def test_a_pdf_with_only_an_owner_password_is_read(tmp_path: Path, algorithm: str) -> None:
    assert found(read(tmp_path, with_owner_only(algorithm))) == ALL


def test_the_report_is_selected_among_several_pdfs(tmp_path: Path) -> None:
    handed = [
        attachment(tmp_path, typed("課本\n" * 40, "x"), "課本.pdf"),
        attachment(tmp_path, typed(REPORT), "a/期末報告.PDF"),
    ]
    document = read_document(handed, Wanted())
    assert document.name == "期末報告.PDF" and found(document) == ALL
    assert "課本.pdf" in str(document.notes[0])


def unmapped() -> bytes:
    """Return a PDF whose text is glyph numbers without a table of their characters."""

    def change(writer: PdfWriter) -> None:
        for font in cast(Any, writer.pages[0])["/Resources"]["/Font"].values():
            font.get_object()[NameObject("/Encoding")] = NameObject("/Identity-H")

    return changed(typed(REPORT), change)


def test_fonts_without_a_character_table_are_reported(tmp_path: Path) -> None:
    document = read(tmp_path, unmapped())
    assert "cannot be read by a machine" in str(document.problem) and not document.none


# ---------------------------------------------------------------- attacks


def stuffed(how: str) -> bytes:
    def draw(canvas: Canvas) -> None:
        canvas.setFont(CHINESE, 11)
        canvas.drawString(60, 780, "七、結果與結論")
        canvas.drawString(60, 760, "我們的模型最後達到百分之九十三的準確率，比原本想像的好很多，也學到不少東西。")
        canvas.setFont(CHINESE, 0.5 if how == "tiny" else 11)
        if how == "white":
            canvas.setFillColorRGB(1, 1, 1)
        y = -500 if how == "beside" else 700
        for place, line in enumerate(REPORT.split("\n")[:14]):
            shown = canvas.beginText(60, y - 14 * place)
            shown.setTextRenderMode(3 if how == "invisible" else 0)
            shown.textLine(line)
            canvas.drawText(shown)

    return drawn(draw)


@pytest.mark.parametrize("how", ["white", "tiny", "beside", "invisible"])
def test_invisible_text_is_left_out(tmp_path: Path, how: str) -> None:
    document = read(tmp_path, stuffed(how))
    assert found(document) == ["results"] and document.members == ()
    assert "invisible characters" in str(document.doubts[0])


def test_white_text_on_colour_is_read(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        canvas.setFillColorRGB(0.1, 0.2, 0.6)
        canvas.rect(40, 770, 400, 30, fill=1)
        canvas.setFont(CHINESE, 14)
        canvas.setFillColorRGB(1, 1, 1)
        canvas.drawString(60, 780, "二、研究目的")
        canvas.setFillColorRGB(0, 0, 0)
        canvas.drawString(60, 740, "認識注音符號，看看電腦能不能分辨不同人寫的字，並且比較哪一種模型比較好。")

    document = read(tmp_path, drawn(draw))
    assert found(document) == ["purpose"] and document.doubts == ()


def test_a_scan_with_recognised_text_is_read_and_needs_review(tmp_path: Path) -> None:
    picture = tmp_path / "page.png"
    Image.new("RGB", (60, 80), "white").save(picture)

    def draw(canvas: Canvas) -> None:
        canvas.drawImage(str(picture), 0, 0, *A4)
        canvas.setFont(CHINESE, 11)
        shown = canvas.beginText(60, 780)
        shown.setTextRenderMode(3)
        shown.textLines(REPORT)
        canvas.drawText(shown)

    document = read(tmp_path, drawn(draw))
    assert found(document) == ALL
    assert any("scan with recognised text" in str(doubt) for doubt in document.doubts)


def test_scripts_and_attachments_are_ignored(tmp_path: Path) -> None:
    def change(writer: PdfWriter) -> None:
        script = {
            NameObject("/S"): NameObject("/JavaScript"),
            NameObject("/JS"): TextStringObject("app.alert('組員：王小明')"),
        }
        writer._root_object[NameObject("/OpenAction")] = DictionaryObject(script)
        writer.add_attachment("結果.txt", "七、結果\n很好很好很好很好很好很好很好很好".encode())

    document = read(
        tmp_path, changed(typed("一、目的\n認識注音符號的形狀並且自動分類給大家看，然後再想想別的問題"), change)
    )
    assert found(document) == ["purpose"] and document.members == ()


def test_markup_in_a_name_is_kept_as_text(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        typed("一、組員\n<script>x</script>：程式\n李美玲：報告的撰寫與整理\n二、目的\n認識注音符號，讓電腦也會看字"),
    )
    assert [member.name for member in document.members] == ["<script>x</script>", "李美玲"]


def bomb() -> bytes:
    """Return half a megabyte that unpacks to a page with 500 MB of text."""
    packer = zlib.compressobj(1)
    content = packer.compress(b"BT /F1 11 Tf 60 700 Td (" + b"a" * 1000)
    content += b"".join(packer.compress(b"a" * (1 << 20)) for _ in range(500)) + packer.flush()
    return with_stream(content)


def with_stream(content: bytes) -> bytes:
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(content), content),
    ]
    return bare(parts)


def bare(parts: list[bytes]) -> bytes:
    """Return a PDF of these objects; the first is the catalogue."""
    out = b"%PDF-1.7\n"
    places = []
    for number, part in enumerate(parts, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (len(parts) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n" % (len(parts) + 1) + table + end


def cyclic() -> bytes:
    return bare([b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"])


def nested() -> bytes:
    deep = b"[" * 20_000 + b"]" * 20_000
    return bare([b"<< /Type /Catalog /Pages 2 0 R /X " + deep + b" >>", b"<< /Type /Pages /Kids [] /Count 0 >>"])


@pytest.mark.parametrize("content", [bomb, cyclic, nested], ids=["bomb", "a page tree in a circle", "nested"])
def test_a_hostile_file_is_a_problem_and_nothing_else(tmp_path: Path, content: Callable[[], bytes]) -> None:
    document = read_document([attachment(tmp_path, content())], EVERYTHING)
    assert document.problem is not None and not document.none and found(document) == []


def test_only_the_first_pages_of_a_long_report_are_read(tmp_path: Path) -> None:
    def draw(canvas: Canvas) -> None:
        for page in range(1000):
            canvas.setFont(CHINESE, 11)
            canvas.drawString(60, 780, f"一、目的 第{page}次說明我們想做的事情與理由" if page else REPORT[:40])
            canvas.showPage()

    document = read(tmp_path, drawn(draw))
    assert document.pages == 1000
    assert any("the first 100 were read" in str(doubt) for doubt in document.doubts)


def test_a_broken_page_does_not_affect_the_others(tmp_path: Path) -> None:
    def change(writer: PdfWriter) -> None:
        broken = DecodedStreamObject()
        broken.set_data(b"BT /F2 11 Tf (((((((")
        writer.pages[1][NameObject("/Contents")] = writer._add_object(broken)
        writer.pages[1][NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): NameObject("/No")})

    document = read(tmp_path, changed(typed(REPORT, "x"), change))
    assert found(document) == ALL and any("could not be read: 1" in str(doubt) for doubt in document.doubts)
