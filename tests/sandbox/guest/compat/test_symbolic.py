"""Graph code of Keras 1 and 2 as in books and courses: filter patterns, Grad-CAM, deep dream, style transfer."""

from __future__ import annotations

import pytest

from grader.sandbox.base import Sandbox
from tests.sandbox.guest.compat.notebooks import CellResult, run_cells

# Each cell makes its own assertions; its name says which.
CELLS = {
    "begin": """
import tensorflow as tf
from tensorflow.python.framework.ops import disable_eager_execution
disable_eager_execution()
tf.compat.v1.disable_eager_execution()
import numpy as np
import keras
from keras import backend as K
from keras import layers, models
model = models.Sequential()
model.add(layers.Conv2D(4, (3, 3), activation='relu', input_shape=(12, 12, 3), name='first'))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(5, (3, 3), name='last'))
model.add(layers.Flatten())
model.add(layers.Dropout(0.5))
model.add(layers.Dense(6, activation='softmax'))
photo = np.random.RandomState(1).rand(2, 12, 12, 3)
def close(a, b):
    return np.allclose(a, b, rtol=1e-4, atol=1e-6)
""",
    "intermediate activations": """
layer_outputs = [layer.output for layer in model.layers[:3]]
activation_model = models.Model(inputs=model.input, outputs=layer_outputs)
activations = activation_model.predict(photo)
get = K.function([model.layers[0].input], [model.layers[2].output])
assert close(get([photo])[0], activations[2]) and get([photo])[0].shape == (2, 3, 3, 5)
single = K.function(model.input, model.output)
assert close(single(photo), model.predict(photo, verbose=0))
""",
    "the learning phase turns dropout on": """
get = K.function([model.layers[0].input, K.learning_phase()], [model.layers[4].output])
assert close(get([photo, 0])[0], get([photo, False])[0]) and (get([photo, 0])[0] != 0).any()
ones = [get([photo, 1])[0] for _ in range(4)]
assert not close(ones[2], ones[3]), "another mask each time"
inputs = keras.Input((3,))
net = keras.Model(inputs, layers.BatchNormalization()(inputs))
mean = net.layers[1].moving_mean.numpy()
batch = K.function([net.input, K.learning_phase()], [net.output])
for _ in range(4):
    normed = batch([np.arange(12.0).reshape(4, 3), 1])[0]
assert abs(normed.mean()) < 1e-5 and (net.layers[1].moving_mean.numpy() == mean).all()
""",
    "filter patterns by ascent": """
def generate_pattern(layer_name, filter_index, size=12):
    layer_output = model.get_layer(layer_name).output
    loss = K.mean(layer_output[:, :, :, filter_index])
    grads = K.gradients(loss, model.input)[0]
    grads /= (K.sqrt(K.mean(K.square(grads))) + 1e-5)
    iterate = K.function([model.input], [loss, grads])
    input_img_data = np.random.RandomState(0).random((1, size, size, 3)) * 20 + 128.
    step = 1.
    losses = []
    for i in range(10):
        loss_value, grads_value = iterate([input_img_data])
        losses.append(loss_value)
        input_img_data += grads_value * step
    return losses, input_img_data, iterate
part = keras.Model(model.input, model.get_layer('last').output)
start = np.random.RandomState(0).random((1, 12, 12, 3)) * 20 + 128.
best = int(part.predict(start, verbose=0).mean(axis=(0, 1, 2)).argmax())
losses, pattern, iterate = generate_pattern('last', best)
assert isinstance(losses[0], np.float32) and losses[-1] > losses[0] != 0
image = np.random.RandomState(0).random((1, 12, 12, 3)) * 20 + 128.
for number in range(10):
    x = tf.constant(image, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        wanted = tf.reduce_mean(part(x)[:, :, :, best])
    gradient = tape.gradient(wanted, x)
    gradient /= tf.sqrt(tf.reduce_mean(tf.square(gradient))) + 1e-5
    assert close(float(wanted), losses[number])
    image += gradient.numpy()
assert close(image, pattern)
""",
    "Grad-CAM": """
preds = model.predict(photo[:1])
african_elephant_output = model.output[:, np.argmax(preds[0])]
last_conv_layer = model.get_layer('last')
grads = K.gradients(african_elephant_output, last_conv_layer.output)[0]
pooled_grads = K.mean(grads, axis=(0, 1, 2))
iterate = K.function([model.input], [pooled_grads, last_conv_layer.output[0]])
pooled_grads_value, conv_layer_output_value = iterate([photo[:1]])
for i in range(5):
    conv_layer_output_value[:, :, i] *= pooled_grads_value[i]
heatmap = np.mean(conv_layer_output_value, axis=-1)
both = keras.Model(model.inputs, [last_conv_layer.output, model.output])
with tf.GradientTape() as tape:
    maps, answer = both(photo[:1])
    chosen = answer[:, np.argmax(preds[0])]
expected = tf.reduce_mean(tape.gradient(chosen, maps), axis=(0, 1, 2))
assert pooled_grads_value.shape == (5,) and close(pooled_grads_value, expected)
assert close(heatmap, np.mean(maps[0] * expected, axis=-1)) and (heatmap != 0).any()
""",
    "Grad-CAM of the strongest class, of both names of the backend": """
from tensorflow.keras import backend as TK
strongest = TK.max(model.output, axis=-1)
by_index = model.output[:, TK.argmax(model.output[0])]
found = TK.function([model.input], [*TK.gradients(strongest, model.input), *TK.gradients(by_index, [model.input])])
first, second = found([photo[:1]])
assert close(first, second) and first.shape == (1, 12, 12, 3) and (first != 0).any()
assert TK.gradients(TK.cast(TK.argmax(model.output), 'float32'), model.input) == [None]
other = keras.Input((3,))
assert K.gradients(strongest, [other, model.input])[0] is None
weight = model.get_layer('first').kernel
assert K.function([model.input], K.gradients(strongest, [weight]))([photo])[0].shape == (3, 3, 3, 4)
two = keras.Model([other, model.input], layers.Dense(1)(layers.concatenate([other, model.output])))
grads = K.gradients(two.output, [model.output, other])
values = K.function(two.inputs, grads)([np.ones((2, 3)), photo])
assert [value.shape for value in values] == [(2, 6), (2, 3)]
assert close(values[1][0], two.layers[-1].kernel[:3, 0])
""",
    "deep dream": """
K.set_learning_phase(0)
layer_contributions = {'first': 0.2, 'last': 3.}
layer_dict = dict([(layer.name, layer) for layer in model.layers])
loss = K.variable(0.)
for layer_name in layer_contributions:
    coeff = layer_contributions[layer_name]
    activation = layer_dict[layer_name].output
    scaling = K.prod(K.cast(K.shape(activation), 'float32'))
    loss += coeff * K.sum(K.square(activation[:, 1: -1, 1: -1, :])) / scaling
dream = model.input
grads = K.gradients(loss, dream)[0]
grads /= K.maximum(K.mean(K.abs(grads)), 1e-7)
fetch_loss_and_grads = K.function([dream], [loss, grads])
def eval_loss_and_grads(x):
    outs = fetch_loss_and_grads([x])
    return outs[0], outs[1]
def gradient_ascent(x, iterations, step, max_loss=None):
    values = []
    for i in range(iterations):
        loss_value, grad_values = eval_loss_and_grads(x)
        values.append(loss_value)
        if max_loss is not None and loss_value > max_loss:
            break
        x += step * grad_values
    return values
parts = keras.Model(model.input, [layer_dict[name].output for name in layer_contributions])
x = tf.constant(photo[:1], tf.float32)
with tf.GradientTape() as tape:
    tape.watch(x)
    expected = sum(c * tf.reduce_sum(part[:, 1:-1, 1:-1] ** 2) / tf.size(part, tf.float32) for c, part in zip((0.2, 3.), parts(x)))
wanted = tape.gradient(expected, x)
found, gradient = eval_loss_and_grads(photo[:1])
assert close(found, expected) and close(gradient, wanted / tf.reduce_mean(tf.abs(wanted)))
values = gradient_ascent(photo[:1].copy(), iterations=6, step=0.01)
assert values == sorted(values) and len(values) == 6
""",
    "neural style transfer": """
from keras.applications import vgg19
from scipy.optimize import fmin_l_bfgs_b
img_height, img_width = 32, 32
rows = np.random.RandomState(2).rand(2, img_height, img_width, 3) * 50
target_image = K.constant(rows[:1])
style_reference_image = K.constant(rows[1:])
combination_image = K.placeholder((1, img_height, img_width, 3))
assert combination_image.shape == (1, 32, 32, 3) and K.int_shape(combination_image) == (1, 32, 32, 3)
input_tensor = K.concatenate([target_image, style_reference_image, combination_image], axis=0)
vgg = vgg19.VGG19(input_tensor=input_tensor, weights=None, include_top=False)
def content_loss(base, combination):
    return K.sum(K.square(combination - base))
def gram_matrix(x):
    features = K.batch_flatten(K.permute_dimensions(x, (2, 0, 1)))
    gram = K.dot(features, K.transpose(features))
    return gram
def style_loss(style, combination):
    S = gram_matrix(style)
    C = gram_matrix(combination)
    channels = 3
    size = img_height * img_width
    return K.sum(K.square(S - C)) / (4. * (channels ** 2) * (size ** 2))
def total_variation_loss(x):
    a = K.square(x[:, :img_height - 1, :img_width - 1, :] - x[:, 1:, :img_width - 1, :])
    b = K.square(x[:, :img_height - 1, :img_width - 1, :] - x[:, :img_height - 1, 1:, :])
    return K.sum(K.pow(a + b, 1.25))
outputs_dict = dict([(layer.name, layer.output) for layer in vgg.layers])
loss = K.variable(0.)
layer_features = outputs_dict['block5_conv2']
target_image_features = layer_features[0, :, :, :]
combination_features = layer_features[2, :, :, :]
loss = loss + 0.025 * content_loss(target_image_features, combination_features)
for layer_name in ['block1_conv1', 'block2_conv1']:
    layer_features = outputs_dict[layer_name]
    style_reference_features = layer_features[1, :, :, :]
    combination_features = layer_features[2, :, :, :]
    sl = style_loss(style_reference_features, combination_features)
    loss += (1. / 2) * sl
loss += 1e-4 * total_variation_loss(combination_image)
grads = K.gradients(loss, combination_image)[0]
fetch_loss_and_grads = K.function([combination_image], [loss, grads])
class Evaluator(object):
    def __init__(self):
        self.loss_value = None
        self.grads_values = None
    def loss(self, x):
        assert self.loss_value is None
        x = x.reshape((1, img_height, img_width, 3))
        outs = fetch_loss_and_grads([x])
        loss_value = outs[0]
        grad_values = outs[1].flatten().astype('float64')
        self.loss_value = loss_value
        self.grad_values = grad_values
        return self.loss_value
    def grads(self, x):
        assert self.loss_value is not None
        grad_values = np.copy(self.grad_values)
        self.loss_value = None
        self.grad_values = None
        return grad_values
evaluator = Evaluator()
x = rows[:1].flatten()
before = fetch_loss_and_grads([rows[:1]])
x, min_val, info = fmin_l_bfgs_b(evaluator.loss, x, fprime=evaluator.grads, maxfun=4)
assert min_val < before[0]
def plain(image):
    full = tf.concat([target_image, style_reference_image, image], 0)
    content, one, two = (layer(full) for layer in tapped)
    return (0.025 * content_loss(content[0], content[2]) + 0.5 * style_loss(one[1], one[2])
            + 0.5 * style_loss(two[1], two[2]) + 1e-4 * total_variation_loss(image))
clean = vgg19.VGG19(weights=None, include_top=False)
clean.set_weights(vgg.get_weights())
tapped = [keras.Model(clean.input, clean.get_layer(n).output) for n in ('block5_conv2', 'block1_conv1', 'block2_conv1')]
image = tf.constant(rows[:1], tf.float32)
with tf.GradientTape() as tape:
    tape.watch(image)
    value = plain(image)
assert close(value, before[0]) and close(tape.gradient(value, image), before[1])
""",
    "functions on symbolic tensors": """
x = keras.Input((4, 2))
row = np.arange(8.0).reshape(1, 4, 2)
def value(y):
    return K.function([x], [y])([row])[0]
assert close(value(K.sum(x, axis=1)), row.sum(axis=1)) and close(value(x[0]), row[0]) and close(value(x[:1]), row[:1])
assert close(value(K.variable(3.) + x), row + 3) and close(value(x * K.constant(2.)), row * 2)
assert close(value(K.variable(np.ones((4, 2))) - x), 1 - row)
assert (K.ndim(x), K.int_shape(x), K.dtype(x), x.shape) == (3, (None, 4, 2), 'float32', (None, 4, 2))
assert close(value(K.expand_dims(K.l2_normalize(x, axis=-1))), (row / np.maximum(1e-6, np.linalg.norm(row, axis=-1, keepdims=True)))[..., None])
assert K.mean(tf.constant([1., 3.])).numpy() == 2.0
from keras.layers import Lambda
assert keras.Model(x, Lambda(lambda t: K.sum(t, axis=1))(x)).predict(row, verbose=0).tolist() == [[12, 16]]
variable = K.variable(0.)
""",
}
REFUSED = {
    "variable += 1.0": "RuntimeError: `variable += value`",
    "K.function([x], [x], updates=[1])": "NotImplementedError: K.function(updates=...)",
    "K.gradients(tf.constant(1.0), tf.constant(2.0))": "NotImplementedError: K.gradients works here on symbolic",
    "K.function([x], [model.output])": "ValueError",
    "K.function([x], [x])([])": "TypeError: K.function: expected 1 inputs, received 0",
    "K.set_learning_phase(1)": "NotImplementedError: K.set_learning_phase(1) is TensorFlow 1 graph code",
    "K.get_session()": "AttributeError: K.get_session is TensorFlow 1 graph code",
    "x['name']": "",
}


@pytest.fixture(scope="module")
def results(warm: Sandbox) -> dict[str, CellResult]:
    cells = [*CELLS.values(), *REFUSED]
    return dict(zip([*CELLS, *REFUSED], run_cells(warm, cells, seconds=200), strict=True))


@pytest.mark.parametrize("name", CELLS)
def test_graph_code_computes_the_numbers_of_the_tape(results: dict[str, CellResult], name: str) -> None:
    assert results[name].error == ""


@pytest.mark.parametrize("code", REFUSED)
def test_other_graph_code_is_refused_with_a_reason(results: dict[str, CellResult], code: str) -> None:
    assert results[code].error.startswith(REFUSED[code]) and results[code].error


def test_graph_code_is_noted(results: dict[str, CellResult]) -> None:
    assert results["begin"].has_note("disable_eager_execution()")
    assert results["filter patterns by ascent"].has_note("K.gradients", "tf.GradientTape()")
    assert results["deep dream"].has_note("K.set_learning_phase(0)", "model(x, training=False)")
    assert results["neural style transfer"].has_note("K.placeholder", "keras.Input(batch_shape=...)")
