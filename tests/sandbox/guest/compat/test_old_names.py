"""Lines that fail on plain Keras 3, run for real: they work and are noted, or the error says what to write."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from grader.sandbox.base import Sandbox
from tests.sandbox.guest.compat.notebooks import CellResult, run_notebooks

BEGIN = """
import numpy as np, pandas as pd, keras, tensorflow as tf
x = np.random.RandomState(0).rand(32, 4).astype("float32")
y = (x.sum(axis=1) > 2).astype("int32")
m = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="relu"), keras.layers.Dense(1, activation="sigmoid")])
m.compile("adam", "binary_crossentropy", metrics=["accuracy"])
def batches():
    while True:
        yield x[:8], y[:8]
gen = batches()
"""


@dataclass(frozen=True)
class Row:
    """A cell with the ``found`` and ``used`` of its note, or with the beginning of its error in ``refused``."""

    code: str
    found: str = ""
    used: str = ""
    refused: str = ""


MODULES = [
    Row("from keras.utils import np_utils\nnp_utils.to_categorical([0, 1])", "keras.utils.np_utils.to_categorical", "keras.utils.to_categorical"),
    Row("from tensorflow.keras.utils import np_utils\nnp_utils.to_categorical([0, 1])", "tensorflow.keras.utils.np_utils.to_categorical", "tensorflow.keras.utils.to_categorical"),
    Row("tf.keras.utils.np_utils.to_categorical([0, 1])"),
    Row("import keras.utils.np_utils"),
    Row("from keras.layers.core import Dense", "keras.layers.core.Dense", "keras.layers.Dense"),
    Row("from keras.layers.core import *\nassert Activation is keras.layers.Activation", "from keras.layers.core import *", "from keras.layers import *"),
    Row("from keras.layers.convolutional import Conv2D, MaxPooling2D", "keras.layers.convolutional.Conv2D", "keras.layers.Conv2D"),
    Row("from keras.layers.normalization import BatchNormalization", "keras.layers.normalization.BatchNormalization", "keras.layers.BatchNormalization"),
    Row("from keras.layers.advanced_activations import LeakyReLU", "keras.layers.advanced_activations.LeakyReLU", "keras.layers.LeakyReLU"),
    Row("from keras.layers.merge import concatenate", "keras.layers.merge.concatenate", "keras.layers.concatenate"),
    Row("from tensorflow.keras.layers.experimental import preprocessing\npreprocessing.Rescaling(1 / 255)", "tensorflow.keras.layers.experimental.preprocessing.Rescaling", "tensorflow.keras.layers.Rescaling"),
    Row("from tensorflow.keras.layers.experimental.preprocessing import RandomFlip", "tensorflow.keras.layers.experimental.preprocessing.RandomFlip", "tensorflow.keras.layers.RandomFlip"),
    Row("tf.keras.layers.experimental.preprocessing.RandomFlip()"),
    Row("from keras.preprocessing.image import ImageDataGenerator", "keras.preprocessing.image.ImageDataGenerator", "tf.keras.preprocessing.image.ImageDataGenerator"),
    Row("from keras.preprocessing import image\nimage.ImageDataGenerator, image.load_img"),
    Row("from keras.preprocessing.text import Tokenizer", "keras.preprocessing.text.Tokenizer", "tf.keras.preprocessing.text.Tokenizer"),
    Row("from keras.wrappers.scikit_learn import KerasClassifier", "keras.wrappers.scikit_learn.KerasClassifier", "keras.wrappers.SKLearnClassifier"),
    Row("from tensorflow.keras.wrappers.scikit_learn import KerasRegressor", "keras.wrappers.scikit_learn.KerasRegressor", "keras.wrappers.SKLearnRegressor"),
    Row("from keras.utils.vis_utils import plot_model", "keras.utils.vis_utils.plot_model", "keras.utils.plot_model"),
    Row("from keras.utils import multi_gpu_model"),
    Row("multi_gpu_model(m, gpus=2)", refused="NotImplementedError: keras.utils.multi_gpu_model was removed"),
    Row("from keras.optimizers import adam\nassert adam is keras.optimizers.Adam", "keras.optimizers.adam", "keras.optimizers.Adam"),
    Row("from tensorflow.keras.optimizers.legacy import Adam\nAdam()", "tensorflow.keras.optimizers.legacy.Adam", "tensorflow.keras.optimizers.Adam"),
    Row("from keras.engine.topology import Layer\nassert Layer is keras.layers.Layer", "keras.engine.topology.Layer", "keras.layers.Layer"),
    Row("from keras.backend.tensorflow_backend import set_session"),
    Row("set_session(None)", refused="NotImplementedError: keras.backend.set_session is TensorFlow 1 graph code"),
    Row("from keras import backend as K\nK.set_image_dim_ordering('th')\nassert K.image_data_format() == 'channels_first'\nK.set_image_dim_ordering('tf')", "K.set_image_dim_ordering('th')", "keras.config.set_image_data_format('channels_first')"),
    Row("assert abs(float(K.mean(K.square(keras.ops.convert_to_tensor(x)))) - (x ** 2).mean()) < 1e-6", "K.mean", "keras.ops.mean"),
    Row("from tensorflow.keras import backend as K\nK.get_session", refused="AttributeError: K.get_session is TensorFlow 1 graph code"),
    Row("from keras.layers import Merge"),
    Row("Merge([m, m], mode='concat')", refused="NotImplementedError: keras.layers.Merge existed only in Keras 1"),
    Row("from keras.layers import merge\na, b = keras.Input((3,)), keras.Input((3,))\nassert merge([a, b], mode='concat').shape == (None, 6)", "merge([a, b], mode='concat')", "keras.layers.concatenate([a, b])"),
    Row("from keras.layers import LSTM, CuDNNLSTM\nassert CuDNNLSTM is LSTM", "keras.layers.CuDNNLSTM", "keras.layers.LSTM"),
    Row("from keras.optimizer_v2.adam import Adam\nassert Adam is keras.optimizers.Adam", "keras.optimizer_v2.adam.Adam", "keras.optimizers.Adam"),
    Row("from keras.layers.core.dense import Dense\nassert Dense is keras.layers.Dense", "keras.layers.core.dense.Dense", "keras.layers.Dense"),
    Row("from keras.applications.mobilenet import DepthwiseConv2D", "keras.applications.mobilenet.DepthwiseConv2D", "keras.layers.DepthwiseConv2D"),
    Row("from keras.layers import TimeDistributedDense", refused="ImportError: keras.layers.TimeDistributedDense was part of Keras up to 1.2.2 and was removed. Use keras.layers.TimeDistributed(keras.layers.Dense(units))."),
    Row("from keras.layers.core import TimeDistributedDense", refused="ImportError: keras.layers.core.TimeDistributedDense was part of Keras up to 1.2.2 and was removed. Use keras.layers.TimeDistributed"),
    Row("tf.keras.metrics.fmeasure", refused="AttributeError: keras.metrics.fmeasure was part of Keras up to 1.2.2 and was removed. Use keras.metrics.F1Score()."),
    Row("import tensorflow.keras.premade", refused="ModuleNotFoundError: keras.premade was part of Keras up to"),
    Row("from keras.applications.mobilenet import relu6", refused="ImportError: keras.applications.mobilenet.relu6 was part of Keras up to 2.1.6 and was removed. Use keras.layers.ReLU(max_value=6)."),
    Row("assert not hasattr(keras.layers, 'SReLU') and getattr(keras.layers, 'SReLU', None) is None"),
    Row("from keras.layers import Nonsense", refused="ImportError: cannot import name 'Nonsense' from 'keras.layers'"),
    Row("tf.Session()", refused="AttributeError: tf.Session is TensorFlow 1 graph code"),
    Row("tf.placeholder(tf.float32)", refused="AttributeError: tf.placeholder is TensorFlow 1 graph code"),
    Row("tf.set_random_seed(1)", "tf.set_random_seed", "tf.random.set_seed"),
    Row("tf.contrib", refused="AttributeError: tf.contrib was TensorFlow 1's"),
    Row("tf.ConfigProto()", refused="AttributeError: tf.ConfigProto configured TensorFlow 1's sessions"),
    Row("tf.estimator", refused="AttributeError: tf.estimator was removed with TensorFlow 1"),
    Row("tf.train.AdamOptimizer", refused="AttributeError: tf.train.AdamOptimizer is a TensorFlow 1 optimizer"),
    Row("tf.app", refused="AttributeError: tf.app was TensorFlow 1's"),
    Row("tf.logging.set_verbosity(tf.logging.ERROR)", "tf.logging", "tf.compat.v1.logging"),
]  # fmt: skip

LIBRARIES = [
    Row("np.float", "np.float", "float"),
    Row("assert np.int(3.7) == 3", "np.int", "int"),
    Row("assert np.in1d([1, 2], [2]).tolist() == [False, True]"),
    Row("assert np.cumproduct([2, 3]).tolist() == [2, 6]", "np.cumproduct", "np.cumprod"),
    Row("from sklearn.cross_validation import train_test_split", "sklearn.cross_validation.train_test_split", "sklearn.model_selection.train_test_split"),
    Row("from sklearn.cross_validation import KFold", refused="ImportError: sklearn.cross_validation.KFold was part of scikit-learn up to 0.19 and was removed. It takes n_splits"),
    Row("from sklearn.externals import joblib\njoblib.dump", "sklearn.externals.joblib.dump", "joblib.dump"),
    Row("from sklearn.preprocessing import OneHotEncoder\nassert OneHotEncoder(sparse=False).fit_transform([[1], [2]]).shape == (2, 2)", "OneHotEncoder(sparse=False)", "OneHotEncoder(sparse_output=False)"),
    Row("from sklearn.metrics import plot_confusion_matrix", "sklearn.metrics.plot_confusion_matrix", "sklearn.metrics.ConfusionMatrixDisplay.from_estimator"),
    Row("from sklearn.metrics import mean_squared_error\nassert mean_squared_error([0, 0], [3, 3], squared=False) == 3 and mean_squared_error([0], [3]) == 9", "mean_squared_error(squared=False)", "root_mean_squared_error()"),
    Row("from scipy.misc import imsave, imread, imresize\nimsave('a.png', np.zeros((4, 6, 3), 'uint8'))\nassert imresize(imread('a.png'), (2, 3)).shape == (2, 3, 3) and imresize(imread('a.png'), 50).shape == (2, 3, 3)", "scipy.misc.imresize", "PIL.Image.fromarray(array).resize((width, height))"),
    Row("imresize(np.zeros((4, 4)), 0.5)", refused="TypeError: scipy.misc.imresize was removed. It stretched float64 values"),
    Row("from sklearn.datasets import load_boston", refused="ImportError"),
    Row("assert np.asscalar(np.array([3])) == 3", "np.asscalar", "np.asarray(a).item()"),
    Row("assert np.math.factorial(3) == 6 and np.rank([[1]]) == 2 and np.NINF < 0", "np.rank", "np.ndim"),
    Row("np.irr([1, 2])", refused="AttributeError: numpy.irr was part of NumPy up to 1.19 and was removed. Write the formula"),
    Row("np.histogram([1, 2], normed=True)", refused="TypeError: histogram(normed=...) was part of NumPy up to 1.21 and was removed. Use density=True."),
    Row("assert not hasattr(np, 'irr') and getattr(pd.DataFrame(), 'ix', None) is None"),
    Row("df = pd.DataFrame({'a': [1, 2, 4]})\ndf.ix[0]", refused="AttributeError: DataFrame.ix was part of pandas up to 0.25 and was removed. Use df.loc"),
    Row("df.ix2", refused="AttributeError: 'DataFrame' object has no attribute 'ix2'"),
    Row("df.a.mad()", refused="AttributeError: Series.mad was part of pandas up to 1.5 and was removed."),
    Row("df.groupby('a').mad()", refused="AttributeError: DataFrameGroupBy.mad was part of pandas up to 1.5"),
    Row("df.sort('a')", refused="AttributeError: DataFrame.sort was part of pandas up to 0.19 and was removed. Use df.sort_values(by=...)"),
    Row("pd.DataFrame.from_csv('a.csv')", refused="AttributeError: DataFrame.from_csv was part of pandas up to 0.24"),
    Row("pd.to_datetime(pd.Series(['2020-01-01'])).dt.week", refused="AttributeError: DatetimeProperties.week was part of pandas up to 1.5 and was removed. Use series.dt.isocalendar().week."),
    Row("pd.Panel()", refused="AttributeError: pandas.Panel was part of pandas up to 0.24"),
    Row("pd.Int64Index([1])", refused="AttributeError: pandas.Int64Index was part of pandas up to 1.5"),
    Row("pd.read_csv('a.csv', error_bad_lines=False)", refused="TypeError: read_csv(error_bad_lines=...) was part of pandas up to 1.5 and was removed. Use on_bad_lines="),
    Row("pd.date_range('2020', '2021', closed='left')", refused="TypeError: date_range(closed=...) was part of pandas up to 1.5 and was removed. Use inclusive=."),
    Row("df.to_csv('b.csv', line_terminator='')", refused="TypeError: DataFrame.to_csv(line_terminator=...) was part of pandas up to 1.5"),
    Row("assert pd.datetime(2020, 1, 1).year == 2020 and pd.np is np", "pd.datetime", "datetime.datetime"),
    Row("assert pd.rolling_mean(df.a, 2).tolist()[1:] == [1.5, 3] and df.index.is_monotonic", "pd.rolling_mean(x, window)", "x.rolling(window).mean()"),
    Row("from pandas.tools.plotting import scatter_matrix", "pandas.tools.plotting.scatter_matrix", "pandas.plotting.scatter_matrix"),
    Row("from pandas.io.json import json_normalize", "pandas.io.json.json_normalize", "pd.json_normalize"),
    Row("import pandas.stats.moments", refused="ModuleNotFoundError: pandas.stats was part of pandas up to 0.22"),
    Row("from sklearn.preprocessing import Imputer", refused="ImportError: sklearn.preprocessing.Imputer was part of scikit-learn up to 0.21 and was removed. Use sklearn.impute.SimpleImputer"),
    Row("from sklearn.metrics import jaccard_similarity_score", refused="ImportError: sklearn.metrics.jaccard_similarity_score was part of scikit-learn up to 0.22 and was removed. It was the accuracy"),
    Row("from sklearn.lda import LDA", refused="ModuleNotFoundError: sklearn.lda was part of scikit-learn up to 0.18"),
    Row("from sklearn.datasets.samples_generator import make_blobs", "sklearn.datasets.samples_generator.make_blobs", "sklearn.datasets.make_blobs"),
    Row("from sklearn.ensemble.forest import RandomForestClassifier as R\nimport sklearn.ensemble\nassert R is sklearn.ensemble.RandomForestClassifier"),
    Row("from sklearn.externals.six import StringIO", "sklearn.externals.six.StringIO", "io.StringIO"),
    Row("from sklearn.model_selection import GridSearchCV\nGridSearchCV(R(), {}, iid=False)", "GridSearchCV(iid=False)"),
    Row("GridSearchCV(R(), {}, iid=True)", refused="TypeError: GridSearchCV(iid=True) was removed"),
    Row("from sklearn.ensemble import BaggingClassifier\nfrom sklearn.base import clone\nassert clone(BaggingClassifier(base_estimator=R())).estimator is not None", "BaggingClassifier(base_estimator=...)", "BaggingClassifier(estimator=...)"),
    Row("from sklearn.linear_model import LogisticRegression\nLogisticRegression(multi_class='ovr')", refused="TypeError: LogisticRegression(multi_class='ovr') was removed. For two classes"),
    Row("from sklearn.linear_model import Ridge\nRidge(normalize=True)", refused="TypeError: Ridge(normalize=...) was part of scikit-learn up to 1.1"),
    Row("from sklearn.feature_extraction.text import TfidfVectorizer\nv = TfidfVectorizer().fit(['a bc de'])\nassert v.get_feature_names() == ['bc', 'de']", "get_feature_names()", "get_feature_names_out()"),
    Row("import scipy as sp\nassert sp.mean([1, 3]) == 2 and sp.log(-1).imag > 3", "scipy.mean", "np.mean"),
    Row("from scipy.signal import hann\nfrom scipy.integrate import cumtrapz\nassert hann(3)[1] == 1", "scipy.integrate.cumtrapz", "scipy.integrate.cumulative_trapezoid"),
    Row("from scipy.integrate import simps", refused="ImportError: scipy.integrate.simps was part of SciPy up to 1.13 and was removed. Use scipy.integrate.simpson; for an even"),
    Row("from scipy.stats import binom_test", refused="ImportError: scipy.stats.binom_test was part of SciPy up to 1.11"),
    Row("import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')", "plt.style.use('seaborn-whitegrid')", "plt.style.use('seaborn-v0_8-whitegrid')"),
    Row("plt.cm.get_cmap('viridis')(0.5)", "plt.cm.get_cmap(name)", "plt.get_cmap(name)"),
    Row("import matplotlib\nmatplotlib.use('TkAgg')\nplt.plot([1, 2])", "matplotlib.use('TkAgg')"),
    Row("import pandas as pd\nassert pd.DataFrame({'a': [1]}).append({'a': 2}, ignore_index=True)['a'].tolist() == [1, 2]", "DataFrame.append()", "pd.concat([a, b])"),
]  # fmt: skip

ARGUMENTS = [
    Row("from keras.optimizers import Adam, SGD\nassert float(Adam(lr=0.5).learning_rate) == 0.5", "Adam(lr=0.5)", "Adam(learning_rate=0.5)"),
    Row("tf.keras.optimizers.Adam(learning_rate=0.001, decay=1e-6)", "Adam(decay=1e-06)", "Adam(learning_rate=keras.optimizers.schedules.InverseTimeDecay(0.001, 1, 1e-06))"),
    Row("SGD(lr=0.01, decay=1e-6, momentum=0.9, nesterov=True)", "SGD(lr=0.01)", "SGD(learning_rate=0.01)"),
    Row("Adam(lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=None, decay=0.0, amsgrad=False)", "Adam(epsilon=None)", "Adam(epsilon=1e-07)"),
    Row("SGD(lr=0.1, learning_rate=0.2)", refused="TypeError: SGD() got both lr= and learning_rate="),
    Row("from keras.layers import *\nDense(10, init='uniform')", "Dense(init='uniform')", "Dense(kernel_initializer='uniform')"),
    Row("assert Dense(output_dim=10).units == 10", "Dense(output_dim=10)", "Dense(units=10)"),
    Row("Conv2D(8, (3, 3), border_mode='same')", "Conv2D(border_mode='same')", "Conv2D(padding='same')"),
    Row("c = Convolution2D(8, 3, 3, border_mode='valid')\nassert (c.kernel_size, c.strides) == ((3, 3), (1, 1))", "Conv2D(8, 3, 3)", "Conv2D(8, (3, 3))"),
    Row("c = Convolution2D(nb_filter=8, nb_row=5, nb_col=3)\nassert (c.kernel_size, c.strides) == ((5, 3), (1, 1))", "Conv2D(8, 5, 3)", "Conv2D(8, (5, 3))"),
    Row("c = Conv2D(16, 3, 3)\nassert (c.kernel_size, c.strides) == ((3, 3), (3, 3))", "Conv2D(16, 3, 3)", "Conv2D(16, (3, 3))"),
    Row("assert Conv2D(8, 3, 2).strides == (2, 2)"),
    Row("assert Dropout(p=0.5).rate == 0.5", "Dropout(p=0.5)", "Dropout(rate=0.5)"),
    Row("assert MaxPooling2D(pool_size=(2, 2), dim_ordering='th')(np.zeros((1, 3, 8, 8))).shape == (1, 3, 4, 4)", "MaxPooling2D(dim_ordering='th')", "MaxPooling2D(data_format='channels_first')"),
    Row("BatchNormalization(mode=0)", "BatchNormalization(mode=0)"),
    Row("BatchNormalization(mode=2)", refused="TypeError: BatchNormalization(mode=2) is not available"),
    Row("assert LSTM(output_dim=3, inner_activation='hard_sigmoid').units == 3", "LSTM(output_dim=3)", "LSTM(units=3)"),
    Row("s = keras.Sequential([Embedding(10, 4, input_length=7), Flatten(), Dense(1)])\nassert s.count_params() == 69", "Embedding(input_length=7)", "Embedding(input_shape=(7,))"),
    Row("s = keras.Sequential()\ns.add(LSTM(3, batch_input_shape=(2, 5, 1), stateful=True))\ns.add(Dense(1))\nassert s.output_shape == (2, 1)", "batch_input_shape=(2, 5, 1)", "keras.Input(batch_shape=(2, 5, 1))"),
    Row("a = keras.Input((3,))\nassert keras.Model(input=a, output=Dense(2)(a)).output_shape == (None, 2)", "Model(input=...)", "Model(inputs=...)"),
    Row("keras.utils.to_categorical([0, 1], nb_classes=3)", "to_categorical(nb_classes=3)", "to_categorical(num_classes=3)"),
    Row("assert len(m.fit(x, y, nb_epoch=2, verbose=0).epoch) == 2", "model.fit(nb_epoch=2)", "model.fit(epochs=2)"),
    Row("m.fit(x, y, epochs=1, verbose=0, workers=2)", "model.fit(workers=2)"),
    Row("m.fit(x, y, epochs=1, verbose=0, use_multiprocessing=True)", "model.fit(use_multiprocessing=True)"),
    Row("m.predict(x, verbose=0, max_queue_size=10)", "model.predict(max_queue_size=10)"),
    Row("Dense(3, unknown=1)", refused="ValueError: Unrecognized keyword arguments"),
    Row("Embedding(10, 4, dropout=0.2)", refused="TypeError: Embedding(dropout=0.2) was part of Keras 1 and was removed"),
    Row("r = keras.regularizers.l1_l2(l1=0.5)\nassert (float(r.l1), float(r.l2)) == (0.5, 0.0)", "l1_l2(l1=0.5)", "l1_l2(l1=0.5, l2=0.01)"),
    Row("assert float(keras.regularizers.l2(l=0.5).l2) == 0.5", "L2(l=0.5)", "L2(l2=0.5)"),
    Row("def own(shape, name=None):\n    return np.full(shape, 0.5)\nd = Dense(3, init=own)\nd.build((None, 4))\nassert (d.get_weights()[0] == 0.5).all()", "own(shape)", "own(shape, dtype=None)"),
    Row("m.fit(x, y, nonsense=1)", refused="TypeError"),
    Row("d = Dense(2, input_dim=3, weights=[np.ones((3, 2)), np.zeros(2)])\nassert keras.Sequential([d]).predict(np.ones((1, 3)), verbose=0).tolist() == [[3, 3]]", "Dense(weights=...)", "layer.set_weights(...) after the layer is built"),
    Row("e = Embedding(4, 2, input_length=3, weights=[np.arange(8).reshape(4, 2)], trainable=False)\nassert keras.Sequential([e]).predict(np.array([[0, 1, 3]]), verbose=0)[0].tolist() == [[0, 1], [2, 3], [6, 7]]"),
    Row("assert keras.Sequential([LSTM(3, input_dim=4, input_length=5)]).input_shape == (None, 5, 4)", "input_dim=4, input_length=5", "keras.Input((5, 4))"),
    Row("assert keras.Sequential([GRU(3, input_dim=4, implementation=2)]).input_shape == (None, None, 4)"),
    Row("assert keras.Sequential([Convolution1D(nb_filter=3, filter_length=2, input_dim=4, input_length=5)]).output_shape == (None, 4, 3)"),
    Row("assert keras.Sequential([Dense(3, input_dim=2)]).input_shape == (None, 2)"),
    Row("assert ConvLSTM2D(4, 3, 3, border_mode='same')(np.zeros((1, 2, 8, 8, 1))).shape == (1, 8, 8, 4)", "ConvLSTM2D(4, 3, 3)", "ConvLSTM2D(4, (3, 3))"),
    Row("from keras.layers import Deconvolution2D\nc = Deconvolution2D(4, 3, 3, (None, 16, 16, 4), border_mode='same', subsample=(2, 2))\nassert c(np.zeros((1, 8, 8, 1))).shape == (1, 16, 16, 4)", "Conv2DTranspose(4, 3, 3)", "Conv2DTranspose(4, (3, 3))"),
    Row("assert SeparableConv2D(4, 3, 3, border_mode='same').kernel_size == (3, 3)", "SeparableConv2D(4, 3, 3)", "SeparableConv2D(4, (3, 3))"),
    Row("LSTM(3, time_major=True)", refused="TypeError: time_major=True is not available"),
    Row("keras.optimizers.Nadam(lr=0.01, schedule_decay=0.004)", "Nadam(schedule_decay=0.004)"),
    Row("keras.optimizers.Nadam(schedule_decay=0.1)", refused="TypeError: Nadam(schedule_decay=0.1) is not available"),
    Row("Adam(jit_compile=True)", "Adam(jit_compile=True)"),
    Row("Adam(gradient_transformers=[abs])", refused="TypeError: gradient_transformers= is not available"),
    Row("assert keras.utils.to_categorical(y=[0, 1], num_classes=2, dtype='uint8').dtype == 'uint8'", "to_categorical(y, dtype='uint8')", "to_categorical(y).astype(dtype)"),
    Row("from keras.preprocessing.text import Tokenizer, one_hot\nassert Tokenizer(nb_words=5).num_words == 5 and len(one_hot(text='a b', n=9)) == 2", "Tokenizer(nb_words=5)", "Tokenizer(num_words=5)"),
    Row("from keras.preprocessing.image import img_to_array\nassert img_to_array(np.zeros((2, 4, 3)), dim_ordering='th').shape == (3, 2, 4)", "img_to_array(dim_ordering='th')", "img_to_array(data_format='channels_first')"),
    Row("keras.layers.serialize(Dense(2), use_legacy_format=True)", refused="TypeError: use_legacy_format=True is not available"),
    Row("m.compile('adam', 'binary_crossentropy', metrics=['accuracy'], sample_weight_mode=None, target_tensors=None)", "Model.compile(target_tensors=None)"),
    Row("m.compile('adam', 'mse', target_tensors=[1])", refused="TypeError: target_tensors= is graph code"),
    Row("tf.keras.callbacks.TensorBoard('logs', batch_size=32, embeddings_layer_names=None)", "TensorBoard(embeddings_layer_names=None)"),
    Row("a = keras.Input((3,))\nkeras.layers.merge([a, a], mode='dot', dot_axes=1)", refused="NotImplementedError: merge(mode='dot') existed only in Keras 1"),
    Row("a = keras.Input((3,))\nassert keras.layers.dot([a, a], axes=1, normalize=True).shape == (None, 1)"),
    Row("assert LeakyReLU(alpha=0.2).negative_slope == 0.2"),
    Row("keras.callbacks.LambdaCallback(on_batch_begin=print, on_batch_end=print)"),
]  # fmt: skip

METHODS = [
    Row("h = m.fit(x, y, epochs=1, verbose=0, validation_split=0.2).history\nassert h['acc'] == h['accuracy'] and 'val_acc' in h and sorted(h) == ['accuracy', 'loss', 'val_accuracy', 'val_loss']", "history['acc']", "history['accuracy']"),
    Row("h['nothing']", refused="KeyError: 'nothing'"),
    Row("m.fit_generator(gen, steps_per_epoch=2, epochs=2, verbose=0)", "model.fit_generator(generator)", "model.fit(generator)"),
    Row("m.fit_generator(gen, samples_per_epoch=16)", refused="TypeError: samples_per_epoch=16 counts samples"),
    Row("m.evaluate_generator(gen, steps=2)", "model.evaluate_generator(generator)", "model.evaluate(generator)"),
    Row("assert m.predict_generator(gen, steps=2).shape == (16, 1)", "model.predict_generator(generator)", "model.predict(generator)"),
    Row("assert (m.predict_classes(x) == (m.predict(x, verbose=0) > 0.5)).all()", "model.predict_classes(x)", "(model.predict(x) > 0.5).astype('int32')"),
    Row("m.predict_proba(x)", "model.predict_proba(x)", "model.predict(x)"),
    Row("m.optimizer.lr", "optimizer.lr", "optimizer.learning_rate"),
    Row("from keras import backend as K\nK.set_value(m.optimizer.lr, 0.25)\nassert K.get_value(m.optimizer.lr) == 0.25 == float(m.optimizer.learning_rate)", "K.set_value", "x.assign(value)"),
    Row("assert m.layers[0].output_shape == (None, 3)", "layer.output_shape", "layer.output.shape"),
    Row("assert m.layers[0].input_shape == (None, 4)", "layer.input_shape", "layer.input.shape"),
    Row("assert m.metrics_names == ['loss', 'accuracy']", "model.metrics_names", "list(model.get_metrics_result())"),
    Row("keras.utils.clear_session()\ns = keras.Sequential([keras.layers.Dense(3, input_shape=(4,)), keras.layers.Dense(2)])\nassert s.get_layer('dense_2') is s.layers[1]", 'get_layer("dense_2")', 'get_layer("dense_1")'),
    Row("keras.utils.clear_session()\ns = keras.Sequential([keras.layers.Dense(3, input_shape=(4,)), keras.layers.Dense(2)])\nassert s.get_layer('dense_1') is s.layers[1]"),
    Row("m.get_layer('dense_77')", refused="ValueError: No such layer"),
    Row("m.to_yaml()", refused="NotImplementedError: model.to_yaml() was removed because a YAML file can run code"),
    Row("tf.keras.preprocessing.image.ImageDataGenerator().flow(np.zeros((4, 8, 8, 3)), np.zeros(4)).next()", "generator.next()", "next(generator)"),
    Row("m.save('saved_dir')\ntf.keras.models.load_model('saved_dir').predict(x, verbose=0)", "model.save('saved_dir')", "model.save('saved_dir.keras')"),
    Row("m.save_weights('w.h5')\nfresh = keras.models.model_from_json(m.to_json())\nfresh.load_weights('w.h5')\nassert (fresh.predict(x, verbose=0) == m.predict(x, verbose=0)).all()", "model.save_weights('w.h5')", "model.save_weights('w.weights.h5')"),
    Row("m.save_weights('ckpt')\nm.load_weights('ckpt')", "model.load_weights('ckpt')", "model.load_weights('ckpt.weights.h5')"),
    Row("from keras.callbacks import *\nm.fit(x, y, epochs=2, verbose=0, validation_split=0.25, callbacks=[ModelCheckpoint('best.hdf5', monitor='val_acc', save_best_only=True)])\nkeras.models.load_model('best.hdf5')", "monitor='val_acc'", "monitor='val_accuracy'"),
    Row("m.fit(x, y, epochs=1, verbose=0, callbacks=[ModelCheckpoint('only.h5', save_weights_only=True), ModelCheckpoint('whole', period=1)])\nm.load_weights('only.h5')\nkeras.models.load_model('whole')"),
    Row("import glob\nm.fit(x, y, epochs=4, verbose=0, validation_split=0.25, callbacks=[ModelCheckpoint('at-{epoch}-{val_acc:.1f}.h5', period=2)])\nassert sorted(n[:4] for n in glob.glob('at-*')) == ['at-2', 'at-4']"),
    Row("m.fit(x, y, epochs=2, verbose=0, validation_split=0.25, callbacks=[EarlyStopping(monitor='val_acc'), ReduceLROnPlateau(monitor='val_acc', epsilon=0.1, patience=1)])", "ReduceLROnPlateau(epsilon=0.1)", "ReduceLROnPlateau(min_delta=0.1)"),
    Row("class Own(Callback):\n    def on_epoch_end(self, epoch, logs=None):\n        print(logs.get('acc') == logs['accuracy'], logs.get('none'))\nm.fit(x, y, verbose=0, callbacks=[Own()])"),
    Row("s = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])\ns.compile('sgd', 'mse')\ns.save('mse.h5')\nkeras.models.load_model('mse.h5')"),
    Row("class Mine(keras.layers.Dense):\n    def __init__(self, units, **words):\n        super().__init__(units, **words)\ns = keras.Sequential([keras.Input((4,)), Mine(1, init='one', W_regularizer='l2')])\ns.compile(keras.optimizers.SGD(lr=0.1, decay=0.5), 'mse')\ns.fit(x, y, verbose=0)\ns.save('mine.keras')\nagain = keras.models.load_model('mine.keras', custom_objects={'Mine': Mine})\nassert again.optimizer.get_config()['learning_rate']['config']['decay_rate'] == 0.5 and type(again.layers[0]) is Mine"),
    Row("assert int(m.predict(x[:1], verbose=0)) == 0 and 0 < float(m.predict(x[:1], verbose=0)) < 1\nassert [int(row) for row in m.predict(x[:3], verbose=0)] == [0, 0, 0]"),
    Row("loss = m.train_on_batch(x, y, reset_metrics=True)", "Model.train_on_batch(reset_metrics=True)"),
    Row("m.save('options.h5', save_format='h5', include_optimizer=False, options=None)\nkeras.models.load_model('options.h5', options=None)", "save_model(options=None)"),
    Row("m.save('traces.keras', save_traces=False)", "save_model(save_traces=False)"),
    Row("m.save_weights('format.h5', save_format='h5')\nm.load_weights('format.h5', by_name=True, options=None)", "model.save_weights(save_format='h5')"),
    Row("ModelCheckpoint('some', options=None)", "ModelCheckpoint(options=None)"),
    Row("d, a, b = keras.layers.Dense(2), keras.Input((4,)), keras.Input((4,))\nu, v = d(a), d(b)\nassert d.get_output_at(0) is u and d.get_output_at(1) is v and d.get_input_at(1) is b and d.get_output_shape_at(1) == (None, 2) and len(d.inbound_nodes) == 2"),
    Row("r = keras.layers.LSTM(3, stateful=True, batch_input_shape=(1, 2, 1))\ns = keras.Sequential([r])\ns.predict(np.ones((1, 2, 1)), verbose=0)\nassert r.states[0].numpy().any()\ns.reset_states()\nassert not r.states[0].numpy().any()", "reset_states()", "reset_state()"),
    Row("k = keras.metrics.Mean()\nk.update_state(3.0)\nk.reset_states()\nassert float(k.result()) == 0"),
    Row("w = tf.Variable(3.0)\no = keras.optimizers.SGD(0.1)\no.minimize(lambda: w * w, [w])\nassert abs(float(w) - 2.4) < 1e-6 and len(o.get_weights()) == len(o.weights)", "optimizer.minimize(loss, var_list)", "optimizer.apply_gradients(zip(gradients, var_list))"),
    Row("with tf.GradientTape() as tape:\n    loss = w * w\no.minimize(loss, [w], tape=tape)\nassert abs(float(w) - 1.92) < 1e-6"),
    Row("o.apply_gradients([(tf.constant(1.0), w)], name='step', experimental_aggregate_gradients=True)", "Optimizer.apply_gradients(name='step')"),
    Row("o.get_updates([], [], 0)", refused="AttributeError: Optimizer.get_updates was part of Keras up to version 2 and was removed. Write the step"),
    Row("assert not hasattr(m.layers[0], 'input_mask') and m.layers[0].updates == []"),
    Row("class Own(keras.layers.Layer):\n    def build(self, shape):\n        self.w = self.add_weight('w', shape=(shape[-1], 2), initializer='ones', use_resource=True)\n    def call(self, x):\n        self.add_loss(tf.reduce_sum(x), inputs=x)\n        self.add_update([])\n        return tf.matmul(x, self.w)\no = Own()\nassert o(np.ones((1, 3), 'float32')).numpy().tolist() == [[3, 3]] and float(o.losses[0]) == 3", "add_weight('w', ...)", "add_weight(..., name='w')"),
    Row("class Named(keras.layers.Layer):\n    def __init__(self):\n        super().__init__()\n        self.updates, self.regularizers = [1], [2]\nassert (Named().updates, Named().regularizers) == ([1], [2])"),
    Row("tf.saved_model.save(m, 'exported')\nassert 'get_slot_names' not in dir(m.optimizer)"),
    Row("class Sub(keras.Model):\n    def __init__(self):\n        super().__init__()\n        self.d = keras.layers.Dense(2)\n    def call(self, x):\n        return self.d(x)\na, b = Sub(), Sub()\nexpected = a.predict(x, verbose=0)\na.save_weights('sub')\nb.compile('adam', 'mse')\nb.load_weights('sub')\nassert (b.predict(x, verbose=0) == expected).all()", "model.load_weights() before the first call", "model.build(shape); model.load_weights()"),
    Row("c = Sub()\nc.compile(keras.optimizers.SGD(0.0), 'mse')\nc.load_weights('sub')\nc.fit(x, np.zeros((32, 2)), verbose=0)\nassert (c.predict(x, verbose=0) == expected).all()"),
    Row("from keras import initializations\ndef own(shape, name=None):\n    return initializations.normal(shape, scale=0.01, name=name)\nd = keras.layers.Dense(50, init=own)\nd.build((None, 200))\nassert 0.009 < d.get_weights()[0].std() < 0.011", "initializations.normal(shape)", "keras.initializers.RandomNormal(stddev=0.01)(shape)"),
    Row("assert initializations.zero((2,)).numpy().tolist() == [0, 0] and abs(initializations.uniform((99,))).numpy().max() < 0.05 and initializations.get('uniform')"),
    Row("print 'hello'", refused="SyntaxError: Missing parentheses in call to 'print'"),
]  # fmt: skip

NOTEBOOKS = {"modules": MODULES, "libraries": LIBRARIES, "arguments": ARGUMENTS, "methods": METHODS}
ROWS = [pytest.param(name, place, id=row.code) for name, rows in NOTEBOOKS.items() for place, row in enumerate(rows)]


@pytest.fixture(scope="module")
def results(warm: Sandbox) -> dict[str, list[CellResult]]:
    run = run_notebooks(warm, {name: [BEGIN, *(row.code for row in rows)] for name, rows in NOTEBOOKS.items()})
    return {name: results[1:] for name, results in run.items()}


@pytest.mark.parametrize(("notebook", "place"), ROWS)
def test_an_old_line_runs_or_says_what_to_write(
    results: dict[str, list[CellResult]], notebook: str, place: int
) -> None:
    row, result = NOTEBOOKS[notebook][place], results[notebook][place]
    assert result.error.startswith(row.refused) if row.refused else not result.error, result.error
    assert not row.found or result.has_note(row.found, row.used), result.notes


def test_code_with_another_meaning_today_is_unchanged_and_noted(results: dict[str, list[CellResult]]) -> None:
    kinds = [note for result in results["arguments"] for note in result.notes if note[0] == "caution"]
    assert kinds == [
        ("caution", "Conv2D(16, 3, 3)", "Conv2D(16, (3, 3))"),
        ("caution", "l1_l2(l1=0.5)", "l1_l2(l1=0.5, l2=0.01)"),
    ]


def test_callbacks_find_both_names_of_a_metric(results: dict[str, list[CellResult]]) -> None:
    assert [result.text for result in results["methods"] if "True None" in result.text] == ["True None\n"]
