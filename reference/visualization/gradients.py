"""Gradients with respect to inputs, by the public way of whichever backend Keras runs on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras


def input_gradient(function: Callable[[Any], Any], inputs: Any) -> Any:
    """The gradient of ``function``, one number, with respect to ``inputs``, a tensor of floats of the same shape.

    Zeros where the number does not depend on the inputs.
    """
    match keras.config.backend():
        case "tensorflow":
            import tensorflow as tf

            with tf.GradientTape() as tape:
                tape.watch(inputs)
                value = function(inputs)
            return tape.gradient(value, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)
        case "jax":
            import jax

            return jax.grad(function)(inputs)
        case "torch":
            import torch

            leaf = inputs.detach().clone().requires_grad_(True)
            return torch.autograd.grad(function(leaf), leaf, allow_unused=True, materialize_grads=True)[0]
        case other:
            raise NotImplementedError(
                f"Keras runs on the {other} backend, which has no gradients: "
                "set KERAS_BACKEND to tensorflow, jax or torch"
            )
