"""``plot_model`` and ``model_to_dot`` without pydot and Graphviz: Matplotlib draws a box for each layer."""

from __future__ import annotations

import importlib.util
import io
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .notes import Kind, note

MAX_LAYERS = 400  # in one picture
WIDTH, HEIGHT, GAP = 3.2, 0.62, 0.38  # inches
DPI = 72


@dataclass(frozen=True)
class Box:
    """A layer in the picture; ``sources`` are the places of the layers whose outputs it takes."""

    text: str
    row: int
    sources: tuple[int, ...]


def install(_keras: Any) -> dict[str, Callable[..., Any]]:
    """Return the replacements of Keras's functions where the programs that they need are missing."""
    if importlib.util.find_spec("pydot") is not None and shutil.which("dot") is not None:
        return {}
    return {"utils.plot_model": plot_model, "utils.model_to_dot": model_to_dot}


def plot_model(
    model: Any, to_file: Any = "model.png", show_shapes: bool = False, show_dtype: bool = False, **words: Any
) -> Any:
    """Draw ``model`` into a file and return the picture, which the notebook shows."""
    note(Kind.INSTEAD, "keras.utils.plot_model (pydot, Graphviz)", "Matplotlib")
    form = Path(to_file).suffix.removeprefix(".").lower() if to_file else "png"
    drawing = Drawing(model, show_shapes=show_shapes, show_dtype=show_dtype, **_known(words))
    content = drawing.create(format=form if form in FORMS else "png")
    if to_file is not None:
        with open(to_file, "wb") as file:  # noqa: PTH123  the notebook's own, which makes a missing folder
            file.write(content)
    from IPython.display import SVG, Image

    if form == "pdf":
        return None
    return SVG(content.decode()) if form == "svg" else Image(content)


def model_to_dot(
    model: Any, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = True, **_words: Any
) -> Drawing:
    """Return an object that draws ``model`` as pydot's graph does."""
    note(Kind.INSTEAD, "keras.utils.model_to_dot (pydot, Graphviz)", "Matplotlib")
    return Drawing(model, show_shapes=show_shapes, show_dtype=show_dtype, show_layer_names=show_layer_names)


def _known(words: dict[str, Any]) -> dict[str, Any]:
    return {"show_layer_names": words["show_layer_names"]} if "show_layer_names" in words else {}


class Drawing:
    """A picture of a model's layers."""

    def __init__(
        self, model: Any, *, show_shapes: bool = False, show_dtype: bool = False, show_layer_names: bool = True
    ) -> None:
        self._boxes = _boxes(model, _Labels(show_shapes, show_dtype, show_layer_names))

    def create(self, prog: Any = None, format: str = "png", **_words: Any) -> bytes:  # noqa: A002, ARG002
        """Return the picture as PNG, SVG or PDF, whatever program is asked for."""
        if format not in FORMS:
            raise ValueError(f"format={format!r} cannot be drawn without Graphviz: choose 'png', 'svg' or 'pdf'.")
        return FORMS[format](_figure(self._boxes))

    def create_png(self, **_words: Any) -> bytes:
        return self.create()

    def create_svg(self, **_words: Any) -> bytes:
        return self.create(format="svg")

    def write(self, path: Any, format: str = "png", **_words: Any) -> bool:  # noqa: A002
        with open(path, "wb") as file:  # noqa: PTH123
            file.write(self.create(format=format))
        return True

    def write_png(self, path: Any, **_words: Any) -> bool:
        return self.write(path)

    def write_svg(self, path: Any, **_words: Any) -> bool:
        return self.write(path, "svg")


# ------------------------------------------------------------------ layers


@dataclass(frozen=True)
class _Labels:
    shapes: bool
    dtype: bool
    names: bool

    def of(self, layer: Any) -> str:
        text = f"{layer.name} ({type(layer).__name__})" if self.names else type(layer).__name__
        if self.dtype:
            text += f" | {getattr(layer, 'compute_dtype', '')}"
        return f"{text}\n{_shape(layer, 'input')} → {_shape(layer, 'output')}" if self.shapes else text


def _shape(layer: Any, end: str) -> str:
    try:
        tensors = getattr(layer, end)
    except (AttributeError, ValueError):
        return "?"
    shapes = [str(tuple(tensor.shape)) for tensor in (tensors if isinstance(tensors, (list, tuple)) else [tensors])]
    return ", ".join(shapes)


def _boxes(model: Any, labels: _Labels) -> list[Box]:
    """Return a box for each layer, below all layers whose outputs it takes."""
    layers = list(model.layers)[:MAX_LAYERS]
    places = {id(layer): place for place, layer in enumerate(layers)}
    inner = getattr(model, "_functional", None) or model
    nodes = [node for depth in getattr(inner, "_nodes_by_depth", {}).values() for node in depth]
    sources: dict[int, set[int]] = {place: set() for place in range(len(layers))}
    for node in nodes:
        place = places.get(id(node.operation))
        if place is not None:
            parents = [places.get(id(parent.operation)) for parent in node.parent_nodes]
            sources[place] |= {parent for parent in parents if parent is not None and parent != place}
    if not any(sources.values()):  # a model without a graph: its layers in their order
        sources = {place: {place - 1} if place else set() for place in sources}
    rows: dict[int, int] = {}
    for _ in layers:  # at most as many rounds as layers
        changed = False
        for place, above in sources.items():
            row = 1 + max((rows.get(parent, 0) for parent in above), default=-1)
            changed |= rows.get(place) != row
            rows[place] = min(row, len(layers))
        if not changed:
            break
    return [Box(labels.of(layer), rows[place], tuple(sorted(sources[place]))) for place, layer in enumerate(layers)]


# ------------------------------------------------------------------ picture


def _figure(boxes: Sequence[Box]) -> Any:
    from matplotlib.figure import Figure
    from matplotlib.patches import FancyArrowPatch, Rectangle

    rows: dict[int, list[int]] = {}
    for place, box in enumerate(boxes):
        rows.setdefault(box.row, []).append(place)
    columns = max(map(len, rows.values()), default=1)
    wide = max([WIDTH, *(0.075 * len(line) + 0.3 for box in boxes for line in box.text.split("\n"))])
    width, height = columns * (wide + GAP), (max(rows, default=0) + 1) * (HEIGHT + GAP)
    figure = Figure(figsize=(width, height), dpi=DPI)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    centres = {}
    for row, places in rows.items():
        for column, place in enumerate(places):
            x = width * (column + 0.5) / len(places)
            centres[place] = (x, row * (HEIGHT + GAP) + (HEIGHT + GAP) / 2)
    for place, box in enumerate(boxes):
        x, y = centres[place]
        axes.add_patch(Rectangle((x - wide / 2, y - HEIGHT / 2), wide, HEIGHT, facecolor="white", edgecolor="black"))
        axes.text(x, y, box.text, ha="center", va="center", fontsize=8)
        for source in box.sources:
            start, end = (centres[source][0], centres[source][1] + HEIGHT / 2), (x, y - HEIGHT / 2)
            axes.add_patch(FancyArrowPatch(start, end, arrowstyle="-|>", mutation_scale=8, color="black"))
    return figure


def _bitmap(figure: Any) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    # The canvas's own method: the record of the notebook's figures watches ``print_figure``.
    return _printed(FigureCanvasAgg(figure).print_png)


def _vectors(figure: Any) -> bytes:
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    return _printed(FigureCanvasSVG(figure).print_svg)


def _page(figure: Any) -> bytes:
    from matplotlib.backends.backend_pdf import FigureCanvasPdf

    return _printed(FigureCanvasPdf(figure).print_pdf)


def _printed(write: Callable[..., Any]) -> bytes:
    content = io.BytesIO()
    write(content)
    return content.getvalue()


FORMS: dict[str, Callable[[Any], bytes]] = {"png": _bitmap, "svg": _vectors, "pdf": _page}
