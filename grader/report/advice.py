"""Explanations for people: outcomes and what to do, hints on errors, levels of confinement, adaptations."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from grader.i18n.message import Message, message
from grader.models.facts import Adaptation
from grader.models.run import CellError, Outcome
from grader.sandbox.guest.compat.notes import Kind

OUTCOMES: dict[Outcome, Message] = {
    Outcome.OK: message("Ran to the end"),
    Outcome.ERROR: message("A cell failed"),
    Outcome.TIMEOUT: message("Ran out of time"),
    Outcome.MEMORY: message("Ran out of memory"),
    Outcome.DISK: message("Wrote too much"),
    Outcome.MISSING: message("Nothing to run"),
    Outcome.FORBIDDEN: message("Refused"),
    Outcome.GRADER_FAULT: message("The grader failed"),
}

WHAT_TO_DO: dict[Outcome, Message] = {
    Outcome.OK: message("Every cell ran from top to bottom."),
    Outcome.ERROR: message(
        "The cells after a failed cell were still run. Restart the kernel, run all cells from top to bottom, and fix "
        "the first one that fails."
    ),
    Outcome.TIMEOUT: message(
        "The results up to the time limit were graded. Train for fewer epochs, on fewer rows, or with a smaller model."
    ),
    Outcome.MEMORY: message(
        "Use smaller batches, load images with a generator (flow_from_directory or image_dataset_from_directory) "
        "instead of all at once, keep arrays as float32, and free what is no longer needed with del."
    ),
    Outcome.DISK: message("Save fewer or smaller files; only the notebook is required."),
    Outcome.MISSING: message(
        "Download the notebook as an .ipynb file, open it to check that it is the right one, and submit it again."
    ),
    Outcome.FORBIDDEN: message("Submit the notebook again, without the part that was refused."),
    Outcome.GRADER_FAULT: message(
        "This is not the student's fault and costs no points. Grade it again; if it fails again, grade it by hand."
    ),
}

_SHAPES = r"shape|dimension|incompatible|ndim|rank|broadcast|cardinality|logits and labels|features"
_NAMES = message(
    "A name is used that was not defined before. Define it in a cell further up, check the spelling, "
    "and run all cells from top to bottom after restarting the kernel."
)
_SHAPE_DIFFERS = message(
    "Two shapes do not fit. Print the .shape of the data just before this line and compare it with what the first "
    "and the last layer expect."
)
_MEMORY_FULL = message("There was not enough memory. Use smaller batches, less data at once, or a smaller model.")
_NO_NETWORK = message(
    "There is no internet during grading. Use the files of the assignment, which are in the notebook's folder."
)
_CELL_STOPPED = message(
    "The cell was stopped at the time limit. Train for fewer epochs, on fewer rows or with a smaller model."
)
_SYNTAX = message(
    "Python cannot read the cell: look for a missing bracket, quotation mark or colon, and for wrong indentation."
)
_TYPES = message(
    "A function got an argument of the wrong type, or one argument too many or too few. Compare the call with its "
    "documentation."
)

_PYTHON_2 = message(
    "The notebook was written for Python 2, which no longer runs. Write print(x) with brackets, range instead of "
    "xrange and input instead of raw_input, and run it with Python 3 before handing it in."
)
_TENSORFLOW_1 = message(
    "This is code for TensorFlow 1, which built a graph and ran it in a session. It no longer runs: build the model "
    "with keras.layers, and train it with compile() and fit()."
)

# Error names, a pattern in the error's message, the hint. The first match wins.
_HINTS: tuple[tuple[str, str, Message], ...] = (
    ("NameError", r"'(xrange|raw_input|unicode|basestring|unichr|execfile)'", _PYTHON_2),
    ("NameError|UnboundLocalError", "", _NAMES),
    ("ModuleNotFoundError", r"'(cPickle|urllib2|urlparse|StringIO|Tkinter|ConfigParser|Queue)'", _PYTHON_2),
    ("AttributeError|NotImplementedError", "TensorFlow 1", _TENSORFLOW_1),
    (
        "ImportError|ModuleNotFoundError",
        r"tensorflow\.(contrib|examples)|'(Session|placeholder|ConfigProto)' from 'tensorflow'",
        _TENSORFLOW_1,
    ),
    (
        "FileNotFoundError|NotADirectoryError|IsADirectoryError|NotFoundError",
        "",
        message(
            "The file does not exist. Only the files of the assignment are in the notebook's folder: open them by "
            "their plain names, not by a path on your own computer or on Google Drive."
        ),
    ),
    (
        "ModuleNotFoundError|ImportError",
        "",
        message(
            "This package is not installed in the grading environment. Use the packages from class; installing others "
            "has no effect."
        ),
    ),
    ("MemoryError|ResourceExhaustedError", "", _MEMORY_FULL),
    (".*", "out of memory|OOM|unable to allocate", _MEMORY_FULL),
    ("KeyboardInterrupt|CellTimeoutError|TimeoutError", "", _CELL_STOPPED),
    (
        "DeadKernelError",
        "",
        message("Python crashed while the cell ran, often for lack of memory. The cells after it could not run."),
    ),
    ("URLError|HTTPError|ConnectionError|gaierror|ConnectTimeout|SSLError", "", _NO_NETWORK),
    (".*", "urlopen|name resolution|network is unreachable|failed to resolve|URL fetch", _NO_NETWORK),
    (
        "StdinNotImplementedError",
        "",
        message("Nobody can type during grading. Put the value into the code instead of calling input()."),
    ),
    (
        "PermissionError",
        "",
        message("Files cannot be written here. Save them in the notebook's folder, by a plain name."),
    ),
    ("NotFittedError", "", message("The model or scaler is used before it was trained: call fit() first.")),
    (
        "SyntaxError",
        "missing parentheses in call to '(print|exec)'|multiple exception types must be parenthesized",
        _PYTHON_2,
    ),
    ("SyntaxError|IndentationError|TabError", "", _SYNTAX),
    ("ValueError|InvalidArgumentError|RuntimeError|IndexError|TypeError", _SHAPES, _SHAPE_DIFFERS),
    (
        "ValueError",
        "could not convert|invalid literal|unsupported object type",
        message(
            "A number was expected, but text was found. Check the columns with .dtypes and convert text to numbers "
            "first."
        ),
    ),
    ("KeyError", "", message("There is no such column or key. Print the names with .columns or .keys() and compare.")),
    ("IndexError", "", message("The position is beyond the end. Print the length with len() or .shape first.")),
    (
        "AttributeError",
        "",
        message(
            "The object has no attribute of this name. Check the spelling and the type(): the variable may hold "
            "something else. Some names from older Keras versions are gone."
        ),
    ),
    ("TypeError", "", _TYPES),
    ("ZeroDivisionError", "", message("Something was divided by zero: is a list or a count empty?")),
    ("RecursionError", "", message("A function calls itself endlessly.")),
    ("UnicodeDecodeError", "", message("The file has another encoding. Try encoding='utf-8' or 'big5'.")),
    ("AssertionError", "", message("An assert statement in the notebook failed.")),
    ("SystemExit", "", message("exit() or quit() was called: remove it, so that the cells below can run.")),
)


def hint(error: CellError) -> Message | None:
    """Return what usually helps against ``error``; None for an error that only its own message explains."""
    for names, contains, advice in _HINTS:
        if re.fullmatch(names, error.name) and re.search(contains, error.message[:4000], re.IGNORECASE):
            return advice
    return None


# Level of confinement -> what it allows the notebook.
CONFINEMENT = {
    "namespaces": message(
        "Namespaces: separate processes, files, network and users. The notebook sees the interpreter, read-only, and "
        "its own folder."
    ),
    "bubblewrap": message(
        "Bubblewrap: namespaces set up by another program. The notebook sees the interpreter, read-only, and its own "
        "folder."
    ),
    "container": message(
        "A rootless container without network. The notebook sees the image, read-only, and its own folder."
    ),
    "process": message(
        "Limits only: separate process tree, folder and environment; limited time, memory, disk and processes. Not "
        "confined: the notebook could read what the grading account can read, and use the network."
    ),
}

# Adaptations that are shown with today's spelling, for students to learn.
_TRANSLATED = {
    Kind.TRANSLATED: message("{found} is written {used} today."),
    Kind.IGNORED: message("{found} has no effect any more and was left out."),
    Kind.CAUTION: message(
        "{found} runs, but its meaning has changed. It was left unchanged; {used} is probably what was meant."
    ),
}
# Adaptations to things that only work elsewhere.
_ELSEWHERE = {
    Kind.FILE: message("{found} was not submitted; the course's own {used} was read instead."),
    Kind.DOWNLOAD: message("{found} was not downloaded, because there is no internet here; the copy {used} was used."),
    Kind.PLACE: message("{found} exists on Colab or Kaggle only; here it does nothing."),
    Kind.UPLOAD: message("{found} asks for a file; the course's own {used} was given."),
    Kind.INSTALLED: message("{found} was not installed again: {used} is here already."),
    Kind.NOT_INSTALLED: message("{found} is not available here and was not installed."),
    Kind.FOLDER: message("The folder {found} was made, because a cell writes into it and it was not submitted."),
    Kind.INSTEAD: message("{found} is not available here; {used} was used instead."),
    Kind.STAND_IN: message("{found} is not available here; a placeholder that does nothing replaces it."),
}

Notes = list[tuple[Adaptation, Message]]


def adaptation_notes(adaptations: Sequence[Adaptation]) -> tuple[Notes, Notes]:
    """Return notes on code that was translated to today's spelling, and on code that would not run elsewhere."""
    return _notes(adaptations, _TRANSLATED), _notes(adaptations, _ELSEWHERE)


def _notes(adaptations: Sequence[Adaptation], sentences: Mapping[Kind, Message]) -> Notes:
    return [
        (
            adaptation,
            Message(sentences[Kind(adaptation.kind)].template, {"found": adaptation.found, "used": adaptation.used}),
        )
        for adaptation in adaptations
        if adaptation.kind in sentences
    ]
