"""Find the members of a group and their tasks in lists, sentences and table rows of a report."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from grader.models.pdf_report import Member
from grader.scoring.report_pdf.text_cleanup import IDEOGRAPH

MAX_MEMBERS, MAX_NAME, MAX_PART = 40, 40, 200
_LINE = 400  # characters of a line that are read

# The common surnames of Taiwan, and those of two characters.
_SURNAMES = frozenset(
    "陳林黃黄張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊江呂何羅高蕭潘簡朱鍾游詹胡彭施沈余盧趙梁顏柯翁魏孫戴方宋范鄧杜傅侯曹薛阮丁"
    "卓馬董溫唐藍蔣石古紀姚連歐馮程田康姜湯汪白鄒尤巫鐘黎涂龔嚴韓袁金童陸柳凌邵夏錢倪湛伍崔武任艾史俞章管管龍段雷藺賀萬毛尹秦"
    "喬甘祝鮑齊易常莫鄔費申關孔盛成包裴譚辛歷池官孟熊穆向季全華粘商鄞駱岳柴房伍冉田辜翟"
)
_DOUBLE = ("歐陽", "司馬", "上官", "諸葛", "張簡", "范姜", "司徒", "皇甫", "端木")
_TASKS = re.compile(
    "程式|資料|訓練|蒐集|收集|報告|簡報|撰寫|模型|拍照|拍攝|照片|圖片|圖像|影像|標註|標記|標籤|測試|製作|整理|設計|處理|全部|負責|分工|工作|"
    "文書|文字|上台|口頭|海報|影片|剪輯|編輯|排版|統整|查詢|查找|打字|企劃|企畫|美工|美編|組長|組員|成員|吉祥物|姓名|學號|班級|座號|老師|"
    "教師|教授|指導|書面|分析|結果|目的|動機|內容|日期|學校|科目|題目|組別|組名|主題|手寫|繪圖|掃描|協助|支援|擴增|增強|調整|參數|調參|研究|"
    "架構|輸入|前處理|預處理|檢查|校對|介紹|討論|結論|心得|平均|其他|以上|所有|大家|進度|時間|方法|文獻|網路|說明"
)
_ENGLISH_TASKS = re.compile(
    r"\b(?:data|code|coding|program\w*|train\w*|model\w*|report\w*|slides?|present\w*|collect\w*|label\w*|test\w*|"
    r"writ\w*|design\w*|draw\w*|photo\w*|picture\w*|image\w*|mascot|name|names|part|role|work|student|teacher|"
    r"class|date|school|members?|leader|preprocessing|results?|purpose|everything|all|poster|video|edit\w*)\b",
    re.IGNORECASE,
)
_ROLE = re.compile(
    r"(?:副?組長|隊長|組員|成員|小組成員|(?:team |group )?(?:leader|members?))\s*"
    r"(?:\d{1,2}|[一二三四五六七八])?\s*(?:[:、.\s]|$)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"^\s*(?:[(\[]?(?:\d{1,2}|[一二三四五六七八九十])[)\].、]\s*|[•●■◆◇▪▸►▶○□★☆※➤✦✓*>#|]+\s*|[-–—]\s+)+"
)
_STUDENT_ID = re.compile(
    r"[(\[]?(?:學號|座號|id|no\.?)?\s*[:#]?\s*(?<![\w])[a-z]{0,2}\d{3,12}(?![\w])\s*[)\]]?|\d{1,2}\s*號", re.IGNORECASE
)
_CLASS = re.compile(r"(?:[高國]?[一二三]|\d{1,3})年?[一二三四五六七八九十忠孝仁愛信義和平\d]{0,2}班")
_SPLIT = re.compile(r"\s*(?:[、,;/&]|\band\b|與|及)\s*")
_MASCOT = re.compile(r"吉祥物|\bmascot\b", re.IGNORECASE)
_CHINESE_NAME = re.compile(rf"{IDEOGRAPH}{{2,4}}|{IDEOGRAPH}+(?:[·‧・.]{IDEOGRAPH}+){{1,3}}")
_LATIN_NAME = re.compile(r"[A-Z][\w'.-]{0,20}(?: [A-Z][\w'.-]{0,20}){0,3}")
_EXPLICIT = re.compile(r"(.{1,40}?)\s*(?::|\||\t|\s[-–—]+\s|[–—]+|->|→|=>)\s*(.*)")
_DID = re.compile(r"(.{1,40}?)\s*(?:負責|擔任|did|does|made|was responsible for|is responsible for)\s*:?\s*(.+)")
_BRACKETS = re.compile(r"([^()\[\]]{1,40}?)\s*[(\[]([^()\[\]]{1,200})[)\]]\s*(.*)")


def find_members(lines: Iterable[str]) -> tuple[Member, ...]:
    """Return the members named in the normalised ``lines`` of the members section, each once, in order."""
    found: dict[str, Member] = {}
    waiting = ""  # a member whose task may follow on the next line
    for line in map(_clean, lines):
        if not line:
            continue
        rows = _row(line)
        if not rows and waiting and _may_be_task(line):
            found[waiting] = _add_task(found[waiting], line)
        for name, part in rows:
            if name in found or len(found) < MAX_MEMBERS:
                found[name] = _add_task(found.get(name, Member(name)), part)
        waiting = rows[-1][0] if rows and not rows[-1][1] and len(rows) == 1 else ""
    return tuple(found.values())


def expects_task(line: str) -> bool:
    """Return whether ``line`` is only a name or a student number, so that the next line may be the task."""
    text = _clean(line)
    return bool(line.strip()) and (not text or bool(_names(text)))


def announced_members(lines: Sequence[str]) -> tuple[Member, ...]:
    """Return the members named on a cover page, on lines with a word such as 組員."""
    return find_members([line for line in lines if _ROLE.match(_NUMBER.sub("", line)) or _MASCOT.search(line)])


def _add_task(member: Member, part: str) -> Member:
    part = part.strip(" :;,、。.|-–—")[:MAX_PART]
    both = "; ".join(dict.fromkeys(text for text in (member.part, part) if text))[:MAX_PART]
    return replace(member, part=both, mascot=member.mascot or bool(_MASCOT.search(part)))


def _clean(line: str) -> str:
    """Return ``line`` without numbering, student numbers, classes, roles and table borders."""
    text = _CLASS.sub(" ", _STUDENT_ID.sub(" ", _NUMBER.sub("", line[:_LINE])))
    return _ROLE.sub("", text.strip(" |"), count=1).strip()


def _row(text: str) -> list[tuple[str, str]]:
    """Return pairs of name and task of one line; empty if it has no name."""
    if re.search(r"姓名|\bname\b", text, re.IGNORECASE):
        return []
    names = _names(text)
    if names:
        return [(name, "") for name in names]
    for pattern, explicit in ((_EXPLICIT, True), (_DID, True), (_BRACKETS, False)):
        if (parted := pattern.fullmatch(text)) and (rows := _pair(parted, explicit)):
            return rows
    first, _space, rest = text.partition(" ")
    if _is_chinese_name(first):
        return [(first, rest)]
    latin = re.match(rf"({_LATIN_NAME.pattern}) +(?=[a-z\u4e00-\u9fff])", text)
    return [(latin[1], text[latin.end() :])] if latin and _is_name(latin[1]) else []


def _pair(parted: re.Match[str], explicit: bool) -> list[tuple[str, str]]:
    """Read ``name: task`` or ``task: names``; after an ``explicit`` separator a nickname counts as well."""
    left, right = parted[1].strip(), " ".join(group for group in parted.groups()[1:] if group).strip()
    if names := _names(left):
        return [(name, right) for name in names]
    if others := _names(right):
        return [(name, left) for name in others]
    nickname = explicit and bool(left) and not _TASKS.search(left) and not _ENGLISH_TASKS.search(left)
    return [(left[:MAX_NAME], right)] if nickname and len(left) <= 24 and not re.search(r"[。,;!?]", left) else []


def _names(text: str) -> list[str]:
    """Return the names in ``text``; empty if it contains anything else."""
    for pieces in (_SPLIT.split(text), text.split(" ")):
        parts = [piece.strip(" .。") for piece in pieces if piece.strip(" .。")]
        if parts and all(map(_is_name, parts)):
            return [part[:MAX_NAME] for part in parts]
    return []


def _is_name(text: str) -> bool:
    return _is_chinese_name(text) or (bool(_LATIN_NAME.fullmatch(text)) and not _ENGLISH_TASKS.search(text))


def _is_chinese_name(text: str) -> bool:
    known = text[:1] in _SURNAMES or text.startswith(_DOUBLE) or bool(re.search("[·‧・.]", text))
    return known and bool(_CHINESE_NAME.fullmatch(text)) and not _TASKS.search(text)


def _may_be_task(line: str) -> bool:
    return len(line) <= MAX_PART and bool(_TASKS.search(line) or _ENGLISH_TASKS.search(line))
