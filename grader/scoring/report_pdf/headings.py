"""Find the sections of a report by their headings, in Chinese and English, and count the text below each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from grader.i18n.message import Message, message
from grader.models.pdf_report import Section
from grader.scoring.report_pdf.members import expects_task
from grader.scoring.report_pdf.text_cleanup import count_letters, remove_gaps

NAMES: Mapping[str, Message] = {
    "members": message("Members and their parts"),
    "purpose": message("Purpose"),
    "content": message("Content"),
    "preprocessing": message("Preprocessing"),
    "model": message("Model design"),
    "training": message("Training"),
    "results": message("Results"),
    "reflections": message("What was learnt"),
    "references": message("References"),
}

# Headings of each section in lower case, besides those that an assignment adds. "contents" is the table of contents.
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "members": (
        *("組員", "成員", "小組成員", "團隊成員", "組員名單", "分工", "工作分配", "任務分配", "分工表", "團隊"),
        *("每個人所負責的項目", "每個人負責的項目"),
        *("members", "team", "team members", "group members", "member", "division of labour", "division of labor"),
        *("contributions", "contribution", "roles", "authors", "who did what"),
    ),
    "purpose": (
        *("目的", "動機", "研究動機", "研究目的", "專題目的", "目標", "緣起", "前言", "引言", "背景"),
        *("purpose", "motivation", "aim", "aims", "goal", "goals", "objective", "objectives", "introduction"),
        "background",
    ),
    "content": (
        *("內容", "資料", "資料內容", "研究內容", "專題內容", "主題", "資料集", "資料來源", "資料蒐集", "資料收集"),
        *("圖片蒐集", "圖片收集", "照片蒐集", "照片收集", "圖片來源", "數據集"),
        *("content", "topic", "subject", "data", "dataset", "data set", "data collection", "data source"),
        "data sources",
    ),
    "preprocessing": (
        *("前處理", "預處理", "資料前處理", "資料預處理", "資料處理", "影像處理", "圖片處理", "照片處理"),
        *("資料擴增", "資料增強", "資料增量", "影像前處理", "圖片前處理", "影像預處理", "圖片預處理"),
        *("preprocessing", "pre-processing", "data processing", "data preparation", "data preprocessing"),
        *("augmentation", "data augmentation", "image processing"),
    ),
    "model": (
        *("模型", "模型設計", "模型架構", "模型結構", "模型建立", "模型建構", "建立模型", "網路架構", "網路設計"),
        *("神經網路", "神經網路架構", "神經網路設計", "類神經網路"),
        *("model", "model design", "model architecture", "architecture", "network", "network architecture"),
        *("network design", "the model"),
    ),
    "training": (
        *("訓練", "訓練過程", "模型訓練", "訓練模型", "訓練方法", "訓練步驟", "訓練歷程"),
        *("training", "training process", "model training", "training the model"),
    ),
    "results": (
        *("結果", "成果", "結論", "研究結果", "訓練結果", "實驗結果", "測試結果", "預測結果", "成果展示"),
        *("results", "result", "conclusion", "conclusions", "findings", "outcome", "outcomes", "evaluation"),
    ),
    "reflections": ("心得", "反思", "心得感想", "學習心得", "感想", "檢討", "reflection", "reflections", "discussion"),
    "references": ("參考資料", "參考文獻", "資料出處", "references", "bibliography", "sources"),
}
# Words without a meaning of their own in a heading.
_FILLERS = (
    *("我們的", "我們", "本組", "專題", "研究", "實驗", "說明", "介紹", "過程", "方法", "概述", "描述", "分析"),
    *("討論", "設計", "與", "和", "及", "暨", "的", "之", "名單", "列表", "表"),
)
_FILLING_WORDS = re.compile(r"\b(?:and|of|the|our|we|description|overview|section|part|chapter|their|each)\b")
_NUMBERING = re.compile(
    r"""(?: \s* (?:
        第 [一二三四五六七八九十百\d]+ [章節部單] 分? 元? [、.:\s]?
      | [(\[] \s* (?:[一二三四五六七八九十]{1,3} | \d{1,2} | [ivx]{1,5} | [a-z]) \s* [)\]] [、.]?
      | [一二三四五六七八九十]{1,3} [、.,:)] | [一二三四五六七八九十]{1,3} \s
      | \d{1,2} (?:[.-]\d{1,2}){1,3} [.)、]? (?=\D|$) | \d{1,3} \s* [.)、:,] | \d{1,2} \s
      | [ivx]{1,5} \s* [.)、:] | [ivx]{1,5} \s | [a-z] [.)]
      | [•●■◆◇▪▸►▶○□★☆※➤✦✓*>#=~\-–—·]+
    ) )+""",
    re.VERBOSE | re.IGNORECASE,
)
_LEADERS = re.compile(r"(?:\.{2,}|…|·{2,}|_{3,}|-{3,}|(?:\. ){2,})\s*[\divxlc]*\s*$|\s\d{1,3}\s*$", re.IGNORECASE)
_INLINE = re.compile(r"([^:]{1,30}?)\s*:\s*(.*)")
_FRAME = "【】〈〉《》「」『』[](){}<>|/&,、.;:!?'\"“”-–—~*_#=+ \t"
_LONGEST = 30  # characters of a heading at most
_HALF = 12  # characters of each half of a heading that a line break split
_MOST_LINES = 10_000  # a longer report can only be meant to waste time
_PROSE = 13  # a line with this many letters is a sentence


@dataclass
class Passage:
    """The lines below one heading."""

    sections: tuple[str, ...]  # "模型設計與訓練過程" begins two
    heading: str
    page: int
    lines: list[str] = field(default_factory=list)


def known_headings(added: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Return heading -> section, the longest heading first; the assignment's own headings override the others."""
    known = {_plain(title): name for name, titles in HEADINGS.items() for title in titles}
    known |= {_plain(title): name for name, titles in added.items() for title in titles}
    return {heading: known[heading] for heading in sorted(known, key=len, reverse=True)}


def split_at_headings(pages: Sequence[str], known: Mapping[str, str]) -> list[Passage]:
    """Split the normalised ``pages`` at the headings; the first passage is the text before the first heading."""
    found = [Passage((), "", 1)]
    lines = [(number, line) for number, text in enumerate(pages, 1) for line in text.split("\n") if line.strip()]
    lines = lines[:_MOST_LINES]
    at = 0
    while at < len(lines):
        page, line = lines[at]
        at += 1
        heading = _heading(line, known)
        if at < len(lines) and (heading_found := _broken_heading(line, lines[at][1], known, alone=heading is None)):
            line, heading = f"{line}{lines[at][1]}", heading_found
            at += 1
        if heading is None or _is_task(line, found[-1], lines[at][1] if at < len(lines) else ""):
            found[-1].lines.append(line)
            continue
        sections, inline = heading
        found.append(Passage(sections, line[:_LONGEST], page, [inline] if inline else []))
    return found


def _is_task(line: str, before: Passage, following: str) -> bool:
    """Return whether ``line`` is a member's task in a table: "模型訓練" between two names is not a heading."""
    below_a_name = "members" in before.sections and bool(before.lines) and expects_task(before.lines[-1])
    return below_a_name and not _NUMBERING.match(line) and count_letters(following) < _PROSE


def _heading(line: str, known: Mapping[str, str]) -> tuple[tuple[str, ...], str] | None:
    """Return the sections that ``line`` begins and the text after its colon; None if it is not a heading."""
    bare = _bare(line)
    if len(bare) > _LONGEST and ":" not in bare[:_LONGEST]:
        return None
    if _LEADERS.search(bare[-2 * _LONGEST :]):
        return None  # a line of the table of contents
    heading_found = sections_of(bare, known)
    if heading_found:
        return heading_found, ""
    parted = _INLINE.fullmatch(bare)
    named = sections_of(parted[1], known) if parted else ()
    return (named, parted[2]) if parted and named else None


def _bare(line: str) -> str:
    numbered = _NUMBERING.match(line)
    return (line[numbered.end() :] if numbered else line).strip()


def _broken_heading(
    line: str, following: str, known: Mapping[str, str], *, alone: bool
) -> tuple[tuple[str, ...], str] | None:
    """Return the heading that a narrow column split over two lines, after its number or first words; else None.

    Without ``alone`` the first line is a heading by itself, so both lines together must be a known heading.
    """
    numbered = _NUMBERING.match(line)
    if numbered is None or len(line) > _HALF or len(following) > _HALF or _NUMBERING.match(following):
        return None
    heading_found = _heading(line + following, known)
    return heading_found if alone or _plain(_bare(line + following)) in known else None


def sections_of(title: str, known: Mapping[str, str]) -> tuple[str, ...]:
    """Return the sections whose headings make up ``title``, ignoring filler words; empty if other text remains."""
    rest = _plain(title)
    found: list[tuple[int, str]] = []
    for heading, name in known.items():
        if heading in rest and not _is_inside_a_word(heading, rest):
            place = rest.index(heading)
            found.append((place, name))
            # Padding of the same length keeps the positions of the other headings.
            rest = rest.replace(heading, "\0" * len(heading), 1)
    if not found:
        return ()
    rest = _FILLING_WORDS.sub("", rest.replace("\0", " "))
    for filler in _FILLERS:
        rest = rest.replace(filler, "")
    if rest.strip(_FRAME):
        return ()
    return tuple(dict.fromkeys(name for _place, name in sorted(found)))


def _is_inside_a_word(heading: str, title: str) -> bool:
    """Return whether the first ``heading`` in ``title`` is part of a longer word: "model" in "remodelling"."""
    before, _heading, after = title.partition(heading)
    beside = before[-1:] + after[:1]
    return heading.isascii() and any(letter.isascii() and letter.isalpha() for letter in beside)


def _plain(title: str) -> str:
    return " ".join(remove_gaps(title).casefold().split())


def count_sections(found: Sequence[Passage], wanted: Sequence[str]) -> Iterator[Section]:
    """Yield the ``wanted`` sections with the text below all their headings; a repeated line counts once."""
    seen: set[str] = set()
    counted = []
    for passage in found:
        fresh = [line for line in dict.fromkeys(passage.lines) if line not in seen]
        seen.update(fresh)
        counted.append((passage, sum(map(count_letters, fresh))))
    for name in wanted:
        own = [(passage, count) for passage, count in counted if name in passage.sections]
        # The first heading with text below it: a table of contents may have the same heading earlier.
        first = next((passage for passage, count in own if count), own[0][0] if own else None)
        if first is None:
            yield Section(name)
        else:
            yield Section(name, first.heading, first.page, sum(count for _passage, count in own))
