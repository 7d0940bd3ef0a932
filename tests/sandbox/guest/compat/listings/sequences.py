# %% [markdown]
# 影評的一維卷積，與可分離卷積

# %%
import numpy as np
from keras.preprocessing import sequence
from keras.models import Sequential
from keras import layers
from keras.optimizers import RMSprop
rng = np.random.RandomState(1)
reviews = [rng.randint(1, 10000, rng.randint(20, 600)).tolist() for _ in range(16)]
x_train = sequence.pad_sequences(reviews, maxlen=500)
y_train = rng.randint(0, 2, 16)

# %%
model = Sequential()
model.add(layers.Embedding(10000, 128, input_length=500))
model.add(layers.Conv1D(32, 7, activation='relu'))
model.add(layers.MaxPool1D(5))
model.add(layers.Conv1D(32, 7, activation='relu'))
model.add(layers.GlobalMaxPool1D())
model.add(layers.Dense(1))
model.summary()
model.compile(optimizer=RMSprop(lr=1e-4), loss='binary_crossentropy', metrics=['acc'])
history = model.fit(x_train, y_train, epochs=1, batch_size=8, validation_split=0.25, verbose=0)
acc, val_acc = history.history['acc'], history.history['val_acc']
print(model.count_params())

# %%
height, width, channels, num_classes = 40, 40, 3, 10
model = Sequential()
model.add(layers.SeparableConv2D(32, 3, activation='relu', input_shape=(height, width, channels)))
model.add(layers.SeparableConv2D(64, 3, activation='relu'))
model.add(layers.MaxPooling2D(2))
model.add(layers.SeparableConv2D(64, 3, activation='relu'))
model.add(layers.SeparableConv2D(128, 3, activation='relu'))
model.add(layers.MaxPooling2D(2))
model.add(layers.SeparableConv2D(64, 3, activation='relu'))
model.add(layers.SeparableConv2D(128, 3, activation='relu'))
model.add(layers.GlobalAveragePooling2D())
model.add(layers.Dense(32, activation='relu'))
model.add(layers.Dense(num_classes, activation='softmax'))
model.compile(optimizer='rmsprop', loss='categorical_crossentropy')
from keras.utils import np_utils
model.fit(rng.rand(8, height, width, channels), np_utils.to_categorical(np.arange(8), num_classes), nb_epoch=1, verbose=0)
print(model.count_params())
