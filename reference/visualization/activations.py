"""Draw the activations of a convolutional network for one photo, layer by layer.

Source: F. Chollet, Deep Learning with Python (2017), 5.4.1. The first layers keep the photo and find its edges; deeper
maps are coarser and sparser, and represent more of the content and less of the photo.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike

from reference.visualization.layers import picture_input, rebuild
from reference.visualization.pictures import as_inputs, mosaic, rescale

# These layers return their input at inference: their maps equal those of the layer before.
_SILENT = (keras.layers.InputLayer, keras.layers.Dropout, keras.layers.SpatialDropout2D)

WIDTH = 10.0  # inches


def activation_model(model: keras.Model, layers: int = 8) -> keras.Model:
    """Return a model with the outputs of the first ``layers`` layers with maps, each (n, height, width, channels).

    The layers of a nested model count individually. ``output_names`` are the names of the layers.
    """
    maps: list[Any] = []

    def call(layer: Any, *tensors: Any, **options: Any) -> Any:
        output = layer(*tensors, **options)
        silent = isinstance(layer, _SILENT) or not isinstance(layer, keras.Layer)
        if not silent and len(output.shape) == 4 and len(maps) < layers:
            maps.append(output)
        return output

    photo = picture_input(model)
    rebuild(model, photo, call)
    if not maps:
        raise ValueError(f"model {model.name!r} has no layer that gives maps (None, height, width, channels)")
    return keras.Model(photo, maps, name="activations")


def activations_figure(model: keras.Model, photo: ArrayLike, layers: int = 8, per_row: int = 16) -> Figure:
    """Return a figure with a panel for each of the first ``layers`` layers and ``per_row`` channels in a row.

    ``photo`` is (height, width, channels), prepared as the model expects it. Each channel is rescaled to its own range;
    a constant channel is dark.
    """
    network = activation_model(model, layers)
    found = network.predict(as_inputs(model, np.asarray(photo)[np.newaxis]), verbose=0)
    found = found if isinstance(found, list) else [found]  # Keras unpacks a list of one
    rows = [-(-maps.shape[-1] // per_row) for maps in found]
    height = sum(rows) * WIDTH / per_row * 1.02 + 0.3 * len(rows)
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    panels = figure.subplots(len(rows), squeeze=False, height_ratios=rows)[:, 0]
    for axes, name, maps in zip(panels, network.output_names, found, strict=True):
        channels = rescale(np.moveaxis(maps[0], -1, 0), axis=(1, 2))  # (channels, height, width)
        zoom = -(-48 // channels.shape[2])  # small maps are enlarged, so that gaps of a pixel stay narrow
        tiles = channels.repeat(zoom, axis=1).repeat(zoom, axis=2)
        sheet = mosaic(tiles, per_row, gap=tiles.shape[2] // 24, background=np.nan)
        axes.imshow(sheet, cmap="viridis", vmin=0, vmax=1)
        axes.set_title(f"{name}    {' × '.join(map(str, maps.shape[1:]))}", fontsize=9, loc="left", parse_math=False)
        axes.set_axis_off()
    return figure
