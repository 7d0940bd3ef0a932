"""Grades and reports through Moodle's web services (``mod/assign/externallib.php``, ``webservice/upload.php``).

Saving a grade also saves the content of every feedback plugin. So a teacher's comment is read first and saved again.
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
    """An assignment in Moodle, whose page has ``id=module`` in its address."""

    system = "moodle"
    takes_more = False

    def __init__(self, connection: Connection, module: int) -> None:
        self._connection = connection
        found = self._find(module)
        self._id = str(found["id"])
        self.title = str(found.get("name", ""))
        self.max = float(found.get("grade") or 0)
        if self.max <= 0:
            raise PushError(message("{title} is not graded in points, but on a scale or not at all.", title=self.title))
        self._team = bool(found.get("teamsubmission"))
        self._feedback = {
            str(config.get("plugin"))
            for config in found.get("configs", ())
            if config.get("subtype") == "assignfeedback"
            and config.get("name") == "enabled"
            and config.get("value") == "1"
        }
        self._states: Mapping[str, str] = self._workflow() if found.get("markingworkflow") else {}

    def _find(self, module: int) -> Mapping[str, Any]:
        courses = self._call("mod_assign_get_assignments").get("courses", ())
        for found in (entry for course in courses for entry in course.get("assignments", ())):
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
            str(entry["userid"]): _grade(entry.get("grade"))
            for entry in self._entries("mod_assign_get_grades", "grades")
        }
        users = self._members() if self._team else self._accounts()
        return {key: Place(user, grades.get(user)) for key, user in users.items()}

    def _accounts(self) -> Mapping[str, str]:
        """Return the account of each number in the archive; the numbers differ between assignments."""
        found = self._entries("mod_assign_get_user_mappings", "mappings")
        return {str(entry["id"]): str(entry["userid"]) for entry in found}

    def _members(self) -> Mapping[str, str]:
        """Return the first account of each group, because a grade written to it goes to the whole group."""
        found = self._call("mod_assign_list_participants", {"assignid": self._id, "groupid": "0", "filter": ""})
        return {str(user["groupid"]): str(user["id"]) for user in reversed(found) if user.get("groupid")}

    def _workflow(self) -> Mapping[str, str]:
        found = self._entries("mod_assign_get_user_flags", "userflags")
        return {str(entry["userid"]): str(entry.get("workflowstate") or "") for entry in found}

    def _entries(self, function: str, name: str) -> Iterator[Mapping[str, Any]]:
        found = self._call(function, {"assignmentids[0]": self._id})
        refused = [warning for warning in found.get("warnings", ()) if str(warning.get("warningcode")) == "1"]
        if refused:
            words = self._connection.quote(str(refused[0].get("message", "")))
            raise PushError(message("Moodle refused {function}: {words}", function=function, words=words))
        yield from (entry for assignment in found.get("assignments", ()) for entry in assignment.get(name, ()))

    # ---------------------------------------------------------------- writing

    def write(self, place: Place, grade: float, report: Path | None) -> Message | None:
        there = self._current_feedback(place)
        feedback, note = self._comment(there), None
        if report is not None:
            try:
                feedback |= self._attachment(there, report)
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

    def _current_feedback(self, place: Place) -> Sequence[Mapping[str, Any]]:
        """Return the content of each feedback plugin for the student, raw: without filters or rewritten addresses."""
        raw = {"moodlewssettingraw": "true", "moodlewssettingfilter": "false", "moodlewssettingfileurl": "false"}
        found = self._call("mod_assign_get_submission_status", {"assignid": self._id, "userid": place.id} | raw)
        return tuple((found.get("feedback") or {}).get("plugins", ()))

    def _comment(self, there: Sequence[Mapping[str, Any]]) -> dict[str, str]:
        """Return the current comment to save again; without it Moodle would delete the comment."""
        if "comments" not in self._feedback:
            return {}
        fields = [
            field for plugin in there if plugin.get("type") == "comments" for field in plugin.get("editorfields", ())
        ]
        text, style = next(
            ((str(field.get("text", "")), str(field.get("format", _HTML))) for field in fields), ("", _HTML)
        )
        name = "plugindata[assignfeedbackcomments_editor]"
        return {f"{name}[text]": text, f"{name}[format]": style}

    def _attachment(self, there: Sequence[Mapping[str, Any]], report: Path) -> dict[str, str]:
        if "file" not in self._feedback:
            raise PushError(message("feedback files are switched off in the assignment's settings"))
        areas = [area for plugin in there if plugin.get("type") == "file" for area in plugin.get("fileareas", ())]
        names = {_file_name(file) for area in areas for file in area.get("files", ())}
        if names - {_REPORT}:
            # An upload replaces all feedback files.
            raise PushError(message("there are other feedback files, which it would replace"))
        return {"plugindata[files_filemanager]": self._upload(report)}

    def _upload(self, report: Path) -> str:
        """Upload the report and return the number of its draft area."""
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
                                    words=connection.quote(str(words))))  # fmt: skip
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
        """Return ``found``, unless it is an error, which Moodle sends with status 200."""
        if not isinstance(found, Mapping) or not ("exception" in found or "errorcode" in found):
            return found
        code, words = str(found.get("errorcode", "")), self._connection.quote(str(found.get("message", "")))
        if code in _NO_TOKEN:
            raise TokenError(
                message("{host} does not accept the token: {words} Make a new one there.", host=self._connection.host,
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
    """Return a file's name; older versions of Moodle give only its path."""
    return str(found.get("filename") or found.get("filepath", "")).rpartition("/")[2]


def _grade(text: Any) -> float | None:
    """Return the grade, or None for -1, Moodle's value for no grade."""
    found = parse_number(str(text))
    return None if found is None or found < 0 else found
