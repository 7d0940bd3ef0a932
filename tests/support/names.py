"""People's names as classes have them, by script."""

from __future__ import annotations

from collections.abc import Mapping

NAMES: Mapping[str, tuple[str, ...]] = {
    "Chinese, traditional": ("林小明", "陳美麗", "許功蓋", "黃淑芬", "張雅婷", "吳佩珊", "蔡怡君", "李冠宇", "王大同"),
    "Chinese, simplified": ("张伟", "王芳", "李娜", "刘洋", "陈静", "赵磊", "黄丽", "周杰", "欧阳娜娜"),
    "Japanese": ("田中太郎", "佐藤花子", "鈴木一郎", "たかはし", "ヤマダ", "渡辺翔太", "伊藤美咲"),
    "Korean": ("김민준", "이서연", "박지훈", "최수빈", "정하은", "강도윤"),
    "Cyrillic": ("Иванов Иван", "Петрова Анна", "Сидоров", "Кузнецова", "Смирнов Алексей"),
    "Greek": ("Γιώργος Παππάς", "Μαρία", "Ελένη Νικολάου", "Δημήτρης"),
    "Hebrew": ("דוד לוי", "שרה כהן", "יוסף"),
    "Arabic": ("محمد علي", "فاطمة", "عمر حسن"),
    "Thai": ("สมชาย ใจดี", "สมหญิง", "ปิยะ ศรีสุข"),
    "Devanagari": ("राहुल शर्मा", "प्रिया सिंह", "अमित"),
    "Western": ("José García", "Müller", "François", "João", "Søren", "Zoë", "Ñandú"),
    "Central European": ("Žofie Nováková", "Łukasz", "Jiří", "Świątek", "Győző"),
    "Turkish": ("Çağrı Yılmaz", "Ayşe", "Şule"),
}  # fmt: skip
