"""Names of the grading worksheet's columns in Moodle's language packs.

Columns are found by their content, which works in every language; these names decide where the content is ambiguous.
"Identifier" and "Grade" are needed in English only, to report a changed header before Moodle refuses it.
"""

from __future__ import annotations

ENGLISH_NAME = frozenset({"Full name", "User full name"})
# Moodle requires these three.
ENGLISH_IDENTIFIER, ENGLISH_GRADE, ENGLISH_MODIFIED = "Identifier", "Grade", "Last modified (grade)"
ENGLISH_COMMENTS = "Feedback comments"

MAXIMUM = frozenset(
    {
        *("Maximum grade", "最高成績", "最高分", "最高成绩", "最大評点", "최대 성적", "Bestwertung", "Note maximale"),
        *(
            "Calificación máxima",
            "Qualificació màxima",
            "Cualificación máxima",
            "Gehieneko kalifikazioa",
            "Nota máxima",
        ),
        *("Valutazione massima", "Maximaal cijfer", "Maxbetyg", "Maximalt betyg", "Notă maximă", "Μέγιστος Βαθμός"),
        *("Didžiausias įvertinimas", "Максимальная оценка", "Максимальна оцінка", "Enyüksek not", "أعلى تقدير"),
        *("ציון מירבי", "زیادہ سے زیادہ گریڈ"),
    }
)
SCALE = frozenset(
    {
        *(
            "Scale",
            "量尺",
            "量表",
            "評価尺度",
            "척도",
            "Skala",
            "Barème",
            "Escala",
            "Eskala",
            "Scala",
            "Schaal",
            "Scală",
        ),
        *("Κλίμακα", "Skalė", "Шкала", "Ölçek", "المقياس", "קנה מידה", "اسکیل"),
    }
)
MODIFIED = frozenset(
    {
        *(ENGLISH_MODIFIED, "最後修改的(得分)", "最後修改（老師）", "上次修改（评分）", "最終更新日時 (評定)"),
        *("마지막 수정됨(성적)", "Zuletzt geändert (Bewertung)", "Dernière modification (note)"),
        *(
            "Dernière modification (évaluation)",
            "Última modificación (calificación)",
            "Última modificación (cualificación)",
        ),
        *("Darrera modificació (qualificació)", "Azken aldaketa (kalifikazioa)", "Última atualização (avaliação)"),
        *("Ultima modifica (valutazione)", "Laatst gewijzigd (beoordeling)", "Senast modifierat (betyg)"),
        *("Ultima modificare (nota)", "Poslední změna (hodnocení)", "Τελευταία τροποποίηση (βαθμολόγηση)"),
        *("Последнее изменение (оценка)", "Последнее изменение оценки", "Востаннє змінювалося (оцінка)"),
        *("Son düzenleme (not)", "آخر تعديل (التقدير)", "עדכון אחרון (ציון)", "آخری ترمیم شدہ (درجہ)"),
    }
)
COMMENTS = frozenset(
    {
        *(
            ENGLISH_COMMENTS,
            "評語回饋",
            "反馈意见",
            "フィードバックコメント",
            "피드백 코멘트",
            "Feedback als Kommentar",
        ),
        *("Feedback par commentaires", "Comentarios de retroalimentación", "Comentaris de retroacció.", "Comentarios"),
        *("Feedback-iruzkinak", "Comentários de feedback", "Commenti", "Feedback tekstvak", "Återkopplingskommentarer"),
        *("Comentarii de feedback", "Σχόλια ανατροφοδότησης", "Grįžtamojo ryšio komentarai"),
        *(
            "Отзыв в виде комментария",
            "Відгук - коментарем",
            "Geri bildirim yorumları",
            "تعليقات الإفادة",
            "تاثرات کے تبصرے",
        ),
    }
)
# "No" under "Grade can be changed".
NO = frozenset(
    {
        *("No", "否", "아니오", "Nein", "Non", "Não", "Nee", "Nej", "Nei", "Nu", "Ne", "Nie", "Ez", "Όχι", "Нет", "Ні"),
        *("Hayır", "Nem", "Ei", "لا", "לא", "نہیں"),
    }
)
# The name of every student in an archive with blind marking, as in entries without "/".
PARTICIPANT = frozenset(
    {
        *(
            "Participant",
            "參與者",
            "参与者",
            "参与人",
            "参加者",
            "참가자",
            "Teilnehmerin",
            "Teilnehmer",
            "Participante",
        ),
        *("Partecipante", "Partaidea", "Deelnemer", "Deltagare", "Uczestnik", "Dalyvis", "Συμμετέχοντας", "Συμμετέχων"),
        *("Участник", "Учасник", "Katılımcı", "المشارك", "משתתף", "شریک"),
    }
)
