# %% [markdown]
# 手寫數字，三種網路

# %%
import numpy as np
from keras.utils import np_utils
np.random.seed(10)
digits = np.random.randint(0, 256, (60, 28, 28)).astype('uint8')
answers = np.random.randint(0, 10, 60)
answers[:10] = np.arange(10)
X = digits.reshape(60, 28, 28, 1).astype('float32') / 255
Y = np_utils.to_categorical(answers, 10)

# %% 寬的全連接層
from keras.models import Sequential
from keras.layers import Dense, Flatten
from keras.layers.convolutional import Convolution2D, MaxPooling2D
model = Sequential()
model.add(Convolution2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1)))
model.add(MaxPooling2D((2, 2)))
model.add(Convolution2D(64, (3, 3), activation='relu'))
model.add(MaxPooling2D((2, 2)))
model.add(Flatten())
model.add(Dense(512, activation='relu'))
model.add(Dense(10, activation='softmax'))
model.summary()
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
history = model.fit(X, Y, validation_split=0.2, epochs=1, batch_size=128, verbose=2)
print(history.history['acc'] == history.history['accuracy'], history.history['val_acc'] is not None)
prediction = model.predict_classes(X)
print(prediction[:10].shape)
print(model.count_params())

# %% 三層卷積
from keras import layers, models
from keras import optimizers
model = models.Sequential()
model.add(layers.Conv2D(32, (3, 3), activation='relu', input_shape=(28, 28, 1)))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(64, (3, 3), activation='relu'))
model.add(layers.MaxPooling2D((2, 2)))
model.add(layers.Conv2D(64, (3, 3), activation='relu'))
model.add(layers.Flatten())
model.add(layers.Dense(64, activation='relu'))
model.add(layers.Dense(10, activation='softmax'))
model.compile(optimizer=optimizers.rmsprop(lr=0.001), loss='categorical_crossentropy', metrics=['acc'])
model.fit(X, Y, epochs=1, batch_size=64)
loss, acc = model.evaluate(X, Y)
model.save('digits.h5')
print(model.count_params())

# %% 均方誤差與 SGD
from keras.layers import Activation, Conv2D
from keras.optimizers import SGD
model = Sequential()
model.add(Conv2D(32, (3, 3), padding='same', input_shape=(28, 28, 1)))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Conv2D(64, (3, 3), padding='same'))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Conv2D(128, (3, 3), padding='same'))
model.add(Activation('relu'))
model.add(MaxPooling2D(pool_size=(2, 2)))
model.add(Flatten())
model.add(Dense(200))
model.add(Activation('relu'))
model.add(Dense(10))
model.add(Activation('softmax'))
model.compile(loss='mse', optimizer=SGD(lr=0.05), metrics=['accuracy'])
model.fit(X, Y, batch_size=100, nb_epoch=1)
score = model.evaluate(X, Y)
print(model.metrics_names, len(score))
print(model.count_params())
