"""Stub modules of Colab and Kaggle: their services do nothing, and their downloads return the course's files."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from .downloads import refuse, save_copy
from .handout import FileFinder, Handout
from .notes import Kind, note
from .stub_modules import Inert, do_nothing, provide, provide_missing

MAX_UPLOAD_BYTES = 256 << 20


def install(handout: Handout, finder: FileFinder) -> None:
    """Provide the modules of Colab; and those of Kaggle, ``gdown`` and ``wget`` where they are not installed."""
    provide(
        {
            "google.colab": _colab,
            "google.colab.drive": lambda module: _drive(module, handout.work),
            "google.colab.files": lambda module: _files(module, handout, finder),
            "google.colab.userdata": _userdata,
            "google.colab.output": lambda module: setattr(module, "__getattr__", _lookup_output),
            "google.colab.auth": lambda module: _add_idle(module, "auth", "authenticate_user"),
            "google.colab.patches": _patches,
            "google.colab.data_table": lambda module: setattr(module, "__getattr__", lambda _name: Inert),
        }
    )
    provide_missing(
        {
            "kaggle_secrets": _kaggle_secrets,
            "kaggle": _kaggle,
            "kaggle.api": _kaggle_api,
            "kaggle.api.kaggle_api_extended": _kaggle_api,
            "gdown": lambda module: _gdown(module, handout),
            "wget": lambda module: _wget(module, handout),
        }
    )


def _add_idle(module: ModuleType, name: str, *functions: str) -> None:
    """Add functions that do nothing but write a note."""
    for function in functions:
        setattr(module, function, _noting(f"{name}.{function}()"))


def _noting(call: str) -> Callable[..., None]:
    def called(*_args: Any, **_kwargs: Any) -> None:
        note(Kind.PLACE, call)

    return called


# ------------------------------------------------------------------ Colab


def _colab(module: ModuleType) -> None:
    def submodule(name: str) -> Any:
        """Return ``google.colab.files`` without a separate import, as Colab allows."""
        import importlib

        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return importlib.import_module(f"google.colab.{name}")
        except ModuleNotFoundError:
            raise AttributeError(f"module 'google.colab' has no attribute {name!r}") from None

    module.__getattr__ = submodule  # type: ignore[method-assign]


def _drive(module: ModuleType, work: Path) -> None:
    def mount(mountpoint: str = "/content/drive", *_args: Any, **_kwargs: Any) -> None:
        note(Kind.PLACE, f"drive.mount({mountpoint!r})")
        if Path(mountpoint).parent.resolve() == work.resolve():  # /content is the notebook's folder
            (Path(mountpoint) / "MyDrive").mkdir(parents=True, exist_ok=True)

    module.mount = mount  # type: ignore[attr-defined]
    _add_idle(module, "drive", "flush_and_unmount")


class Uploaded(dict[str, bytes]):
    """Uploaded files by name; the student's name "Heart.CSV" also finds "heart.csv"."""

    def __init__(self, finder: FileFinder) -> None:
        super().__init__()
        self._finder = finder

    def __missing__(self, name: str) -> bytes:
        path = self._finder.file(f"/content/{name}")
        if path is None:
            raise KeyError(name)
        note(Kind.FILE, name, self._finder.shown(path))
        return Path(path).read_bytes()


def _files(module: ModuleType, handout: Handout, finder: FileFinder) -> None:
    def upload(*_args: Any, **_kwargs: Any) -> dict[str, bytes]:
        """Return name and content of each file beside the notebook, as Colab does after an upload."""
        found = Uploaded(finder)
        left = MAX_UPLOAD_BYTES
        for name in handout.files:
            path = handout.work / name
            if "/" not in name and path.is_file() and path.stat().st_size <= left:
                found[name] = path.read_bytes()
                left -= len(found[name])
        if not found:
            raise FileNotFoundError(
                "files.upload(): no file can be chosen while homework is graded, and the homework has none. "
                "Submit the file with the notebook and open it by its name."
            )
        note(Kind.UPLOAD, "files.upload()", ", ".join(found))
        return found

    module.upload = upload  # type: ignore[attr-defined]
    _add_idle(module, "files", "download", "view")


def _userdata(module: ModuleType) -> None:
    class SecretNotFoundError(Exception):
        """Error for every secret: none are available here."""

    def get(key: str) -> str:
        raise SecretNotFoundError(f"userdata.get({key!r}): no secrets are available while homework is graded.")

    module.SecretNotFoundError = module.NotebookAccessError = SecretNotFoundError  # type: ignore[attr-defined]
    module.get = get  # type: ignore[attr-defined]


def _lookup_output(name: str) -> Any:
    """Return a function of ``google.colab.output``, for which there is no web page."""
    if name.startswith("__"):
        raise AttributeError(name)
    if name == "eval_js":
        return _refuse_javascript
    return contextlib.nullcontext if name in ("redirect_to_element", "use_tags", "temporary") else do_nothing


def _refuse_javascript(*_args: Any, **_kwargs: Any) -> None:
    raise NotImplementedError("output.eval_js(): no web page and no camera are available while homework is graded.")


def _patches(module: ModuleType) -> None:
    def cv2_imshow(image: Any) -> None:
        """Display an image of OpenCV, whose channels are blue, green and red."""
        import numpy as np
        from IPython.display import display
        from PIL import Image

        pixels = np.clip(np.asarray(image), 0, 255).astype(np.uint8)
        if pixels.ndim == 3:
            pixels = pixels[..., [2, 1, 0, 3][: pixels.shape[2]]]
        display(Image.fromarray(pixels))

    module.cv2_imshow = cv2_imshow  # type: ignore[attr-defined]


# ------------------------------------------------------------------ Kaggle


def _kaggle_secrets(module: ModuleType) -> None:
    class UserSecretsClient:
        def get_secret(self, label: str) -> str:
            raise ValueError(f"get_secret({label!r}): no secrets are available while homework is graded.")

        get_gcloud_credential = get_bigquery_access_token = get_secret

    module.UserSecretsClient = UserSecretsClient  # type: ignore[attr-defined]


class _Api:
    """The API of Kaggle without a server."""

    def authenticate(self) -> None:
        note(Kind.PLACE, "kaggle.api.authenticate()")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return refuse(f"kaggle.api.{name}")


def _kaggle(module: ModuleType) -> None:
    module.KaggleApi, module.api = _Api, _Api()  # type: ignore[attr-defined]


def _kaggle_api(module: ModuleType) -> None:
    module.KaggleApi = _Api  # type: ignore[attr-defined]
    module.__getattr__ = lambda name: getattr(_Api(), name)  # type: ignore[method-assign]


# ------------------------------------------------------------------ downloaders


def _gdown(module: ModuleType, handout: Handout) -> None:
    def download(url: str | None = None, output: str | None = None, *_args: Any, **kwargs: Any) -> str:
        return save_copy(url or f"https://drive.google.com/uc?id={kwargs.get('id')}", output, handout)

    module.download = module.cached_download = download  # type: ignore[attr-defined]


def _wget(module: ModuleType, handout: Handout) -> None:
    def download(url: str, out: str | None = None, *_args: Any, **_kwargs: Any) -> str:
        return save_copy(url, out, handout)

    module.download = download  # type: ignore[attr-defined]
