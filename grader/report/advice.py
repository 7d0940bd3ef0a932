"""What happened and what to do about it, in words for students: by outcome, and by the kind of a cell's error."""

from __future__ import annotations

import re

from grader.i18n.message import Message, message
from grader.models.run import CellError, Outcome

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
        "The cells below a failed one were run all the same. Restart the kernel, run all cells from top to bottom, "
        "and put right the first one that fails."
    ),
    Outcome.TIMEOUT: message(
        "What was reached before the limit was graded. Train for fewer epochs, on fewer rows, or with a smaller model."
    ),
    Outcome.MEMORY: message("Use smaller batches, fewer copies of the data, or a smaller model."),
    Outcome.DISK: message("Save fewer or smaller files; the homework asks for the notebook alone."),
    Outcome.MISSING: message(
        "Download the notebook as an .ipynb file, open it once more to see that it is the right one, "
        "and hand it in again."
    ),
    Outcome.FORBIDDEN: message("Hand in the notebook again, without the part that was refused."),
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
    "There is no internet while grading. Use the files handed out with the homework, which lie beside the notebook."
)
_CELL_STOPPED = message(
    "The cell was stopped at the time limit. Train for fewer epochs, on fewer rows or with a smaller model."
)
_SYNTAX = message(
    "Python cannot read the cell: look for a missing bracket, quotation mark or colon, and for lines set in wrongly."
)
_TYPES = message(
    "A function got something of another kind than it takes, or one argument too many or too few. "
    "Compare the call with its documentation."
)

_PYTHON_2 = message(
    "The notebook was written for Python 2, which no longer runs. Write print(x) with brackets, range instead of "
    "xrange and input instead of raw_input, and run it with Python 3 before handing it in."
)
_TENSORFLOW_1 = message(
    "This is code for TensorFlow 1, which first built a graph and then ran it in a session. That cannot be run any "
    "more: build the model with keras.layers, and train it with compile() and fit()."
)

# The first line that fits decides: error names, what the message must contain, the hint.
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
            "The file is not there. Only the files handed out with the homework lie beside the notebook: open them by "
            "their plain names, not by a path on your own computer or on Google Drive."
        ),
    ),
    (
        "ModuleNotFoundError|ImportError",
        "",
        message(
            "This package is not installed where homework is graded. Use the packages from class; installing others "
            "has no effect here."
        ),
    ),
    ("MemoryError|ResourceExhaustedError", "", _MEMORY_FULL),
    (".*", "out of memory|OOM|unable to allocate", _MEMORY_FULL),
    ("KeyboardInterrupt|CellTimeoutError|TimeoutError", "", _CELL_STOPPED),
    (
        "DeadKernelError",
        "",
        message("Python itself ended while the cell ran, often for lack of memory. The cells after it could not run."),
    ),
    ("URLError|HTTPError|ConnectionError|gaierror|ConnectTimeout|SSLError", "", _NO_NETWORK),
    (".*", "urlopen|name resolution|network is unreachable|failed to resolve|URL fetch", _NO_NETWORK),
    (
        "StdinNotImplementedError",
        "",
        message("Nobody is there to type while grading. Put the value into the code instead of calling input()."),
    ),
    (
        "PermissionError",
        "",
        message("This place may not be written to. Save files beside the notebook, by a plain name."),
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
            "Text stands where a number is expected. Look at the columns with .dtypes and turn text into numbers first."
        ),
    ),
    ("KeyError", "", message("There is no such column or key. Print the names with .columns or .keys() and compare.")),
    ("IndexError", "", message("The position is beyond the end. Print the length with len() or .shape first.")),
    (
        "AttributeError",
        "",
        message(
            "The object has nothing of this name. Check the spelling, and whether the variable is what you think: "
            "print its type(). Some names from older Keras versions are gone."
        ),
    ),
    ("TypeError", "", _TYPES),
    ("ZeroDivisionError", "", message("Something was divided by zero: is a list or a count empty?")),
    ("RecursionError", "", message("A function calls itself without end.")),
    ("UnicodeDecodeError", "", message("The file is not in this encoding. Try encoding='utf-8' or 'big5'.")),
    ("AssertionError", "", message("A check written in the notebook itself did not hold.")),
    ("SystemExit", "", message("exit() or quit() was called: leave it out, so that the cells below can run.")),
)


def hint(error: CellError) -> Message | None:
    """What usually helps against ``error``; None for errors that only their own message explains."""
    for names, contains, advice in _HINTS:
        if re.fullmatch(names, error.name) and re.search(contains, error.message[:4000], re.IGNORECASE):
            return advice
    return None


# Each level of confinement, as an honest word to whoever reads the report.
CONFINEMENT = {
    "namespaces": message(
        "Namespaces: processes, files, network and users of its own; it sees the interpreter, read-only, and its own "
        "folder."
    ),
    "bubblewrap": message(
        "Bubblewrap: namespaces set up by another program; it sees the interpreter, read-only, and its own folder."
    ),
    "container": message("A rootless container without network: it sees the image, read-only, and its own folder."),
    "process": message(
        "Limits only: its own process tree, folder and environment; time, memory, disk and processes bounded. Not "
        "confined: it could read what the grading account can read, and use the network."
    ),
}
