"""Grades and reports through Moodle's web services, as ``mod/assign/externallib.php`` and ``webservice/upload.php``
take them.

Saving a grade also saves what every feedback plugin is given: what a teacher wrote there is read first and given back.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from grader.files.csv_sheet import format_number, parse_number
from grader.i18n.message import Message, message
from grader.lms.api.connection import Connection
from grader.lms.api.push_plan import Place
from grader.models.errors import PushError, TokenError

_REPORT = "report.html"
_HTML = "1"  # Moodle's number for the format
_NO_TOKEN = ("invalidtoken", "accessexception_token", "tokennotfound")


class MoodleAssignment:
    """The assignment whose page has ``id=module`` in its address."""

    system = "moodle"
    takes_more = False

    def __init__(self, connection: Connection, module: int) -> None:
        self._connection = connection
        found = self._found(module)
        self._id = str(found["id"])
        self.title = str(found.get("name", ""))
        self.max = float(found.get("grade") or 0)
        if self.max <= 0:
            raise PushError(message("{title} is not graded in points, but on a scale or not at all.", title=self.title))
        self._team = bool(found.get("teamsubmission"))
        self._feedback = {
            str(one.get("plugin"))
            for one in found.get("configs", ())
            if one.get("subtype") == "assignfeedback" and one.get("name") == "enabled" and one.get("value") == "1"
        }
        self._states: Mapping[str, str] = self._workflow() if found.get("markingworkflow") else {}

    def _found(self, module: int) -> Mapping[str, Any]:
        courses = self._call("mod_assign_get_assignments").get("courses", ())
        for found in (one for course in courses for one in course.get("assignments", ())):
            if found.get("cmid") == module:
                return dict(found)
        raise PushError(
            message(
                "{host} shows no assignment {id} to the owner of the token. The number is the one after id= in the "
                "address of the assignment's page.",
                host=self._connection.host, id=module,
            )
        )  # fmt: skip

    def places(self) -> Mapping[str, Place]:
        grades = {
            str(one["userid"]): _grade(one.get("grade")) for one in self._of_all("mod_assign_get_grades", "grades")
        }
        users = self._members() if self._team else self._mapped()
        return {key: Place(user, grades.get(user)) for key, user in users.items()}

    def _mapped(self) -> Mapping[str, str]:
        """The account behind the number in the archive, which differs from one assignment to the next."""
        found = self._of_all("mod_assign_get_user_mappings", "mappings")
        return {str(one["id"]): str(one["userid"]) for one in found}

    def _members(self) -> Mapping[str, str]:
        """The first account of each group: a grade that is written to it goes to all."""
        found = self._call("mod_assign_list_participants", {"assignid": self._id, "groupid": "0", "filter": ""})
        return {str(one["groupid"]): str(one["id"]) for one in reversed(found) if one.get("groupid")}

    def _workflow(self) -> Mapping[str, str]:
        found = self._of_all("mod_assign_get_user_flags", "userflags")
        return {str(one["userid"]): str(one.get("workflowstate") or "") for one in found}

    def _of_all(self, function: str, what: str) -> Iterator[Mapping[str, Any]]:
        found = self._call(function, {"assignmentids[0]": self._id})
        refused = [one for one in found.get("warnings", ()) if str(one.get("warningcode")) == "1"]
        if refused:
            words = self._connection.said(str(refused[0].get("message", "")))
            raise PushError(message("Moodle refused {function}: {words}", function=function, words=words))
        yield from (one for assignment in found.get("assignments", ()) for one in assignment.get(what, ()))

    # ---------------------------------------------------------------- writing

    def write(self, place: Place, grade: float, report: Path | None) -> Message | None:
        there = self._feedback_there(place)
        feedback, note = self._comment(there), None
        if report is not None:
            try:
                feedback |= self._attached(there, report)
            except PushError as error:
                note = message("the report was not attached: {reason}", reason=error.message)
        saved = {
            "assignmentid": self._id,
            "userid": place.id,
            "grade": format_number(grade, decimal_comma=False),
            "attemptnumber": "-1",
            "addattempt": "0",
            "workflowstate": self._states.get(place.id, ""),
            "applytoall": str(int(self._team)),
        }
        self._call("mod_assign_save_grade", saved | feedback, change=True)
        return note

    def _feedback_there(self, place: Place) -> Sequence[Mapping[str, Any]]:
        """What each plugin holds for the student, as it was written: no filters, no addresses put in."""
        raw = {"moodlewssettingraw": "true", "moodlewssettingfilter": "false", "moodlewssettingfileurl": "false"}
        found = self._call("mod_assign_get_submission_status", {"assignid": self._id, "userid": place.id} | raw)
        return tuple((found.get("feedback") or {}).get("plugins", ()))

    def _comment(self, there: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """The comment that is there, to be saved again: without it Moodle would empty it."""
        if "comments" not in self._feedback:
            return {}
        fields = [field for one in there if one.get("type") == "comments" for field in one.get("editorfields", ())]
        text, style = next(((str(one.get("text", "")), str(one.get("format", _HTML))) for one in fields), ("", _HTML))
        name = "plugindata[assignfeedbackcomments_editor]"
        return {f"{name}[text]": text, f"{name}[format]": style}

    def _attached(self, there: Sequence[Mapping[str, Any]], report: Path) -> dict[str, str]:
        if "file" not in self._feedback:
            raise PushError(message("feedback files are switched off in the assignment's settings"))
        areas = [area for one in there if one.get("type") == "file" for area in one.get("fileareas", ())]
        names = {_file_name(file) for area in areas for file in area.get("files", ())}
        if names - {_REPORT}:
            # What is uploaded takes the place of all files that are there.
            raise PushError(message("there are other feedback files, which it would replace"))
        return {"plugindata[files_filemanager]": self._uploaded(report)}

    def _uploaded(self, report: Path) -> str:
        """The number of the draft area that holds the report now."""
        connection = self._connection
        response = connection.change(
            "POST",
            f"{connection.url}/webservice/upload.php",
            data={"token": connection.token.value, "filearea": "draft", "itemid": "0"},
            files={"file_1": (_REPORT, report.read_bytes(), "text/html")},
        )
        found = self._answer(connection.json(response), "upload.php")
        if not isinstance(found, list) or not found or "itemid" not in found[0]:
            words = found[0].get("error", "") if isinstance(found, list) and found else ""
            raise PushError(message("Moodle refused {function}: {words}", function="upload.php",
                                    words=connection.said(str(words))))  # fmt: skip
        return str(found[0]["itemid"])

    # ---------------------------------------------------------------- one call

    def _call(self, function: str, parameters: Mapping[str, str] | None = None, *, change: bool = False) -> Any:
        connection = self._connection
        call = {"wstoken": connection.token.value, "wsfunction": function, "moodlewsrestformat": "json"}
        content = call | dict(parameters or {})
        url = f"{connection.url}/webservice/rest/server.php"
        response = connection.change("POST", url, data=content) if change else connection.ask(url, data=content)
        return self._answer(connection.json(response), function)

    def _answer(self, found: Any, function: str) -> Any:
        """Moodle's errors come with status 200."""
        if not isinstance(found, Mapping) or not ("exception" in found or "errorcode" in found):
            return found
        code, words = str(found.get("errorcode", "")), self._connection.said(str(found.get("message", "")))
        if code in _NO_TOKEN:
            raise TokenError(
                message("{host} does not take the token: {words} Make a new one there.", host=self._connection.host,
                        words=words)
            )  # fmt: skip
        if code == "accessexception":
            raise PushError(
                message(
                    "The token may not call {function}: add it to the service in Moodle's settings, or ask who looks "
                    "after Moodle. {words}",
                    function=function, words=words,
                )
            )  # fmt: skip
        raise PushError(message("Moodle refused {function}: {words}", function=function, words=words))


def _file_name(found: Mapping[str, Any]) -> str:
    """Older versions give the path with the name at its end."""
    return str(found.get("filename") or found.get("filepath", "")).rpartition("/")[2]


def _grade(text: Any) -> float | None:
    """Moodle keeps -1 where there is none yet."""
    found = parse_number(str(text))
    return None if found is None or found < 0 else found
