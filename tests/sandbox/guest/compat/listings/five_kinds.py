# %% [markdown]
# 五種圖：小 VGG，有批次正規化

# %%
import numpy as np
from sklearn.preprocessing import LabelBinarizer
from sklearn.cross_validation import train_test_split
rng = np.random.RandomState(42)
data = rng.rand(20, 96, 96, 3).astype('float32')
labels = np.array(['fire', 'water', 'grass', 'ghost', 'stone'] * 4)
lb = LabelBinarizer()
labels = lb.fit_transform(labels)
trainX, testX, trainY, testY = train_test_split(data, labels, test_size=0.2, random_state=42)

# %%
from keras.models import Sequential
from keras.layers.normalization import BatchNormalization
from keras.layers.convolutional import Conv2D
from keras.layers.convolutional import MaxPooling2D
from keras.layers.core import Activation, Dropout, Dense, Flatten
from keras import backend as K

class SmallVGG:
    @staticmethod
    def build(width, height, depth, classes):
        shape, axis = (height, width, depth), -1
        if K.image_data_format() == 'channels_first':
            shape, axis = (depth, height, width), 1
        model = Sequential()
        model.add(Conv2D(32, (3, 3), padding='same', input_shape=shape))
        model.add(Activation('relu'))
        model.add(BatchNormalization(axis=axis, mode=0))
        model.add(MaxPooling2D(pool_size=(3, 3)))
        model.add(Dropout(0.25))
        for filters in (64, 128):
            for _ in range(2):
                model.add(Conv2D(filters, (3, 3), padding='same'))
                model.add(Activation('relu'))
                model.add(BatchNormalization(axis=axis))
            model.add(MaxPooling2D(pool_size=(2, 2)))
            model.add(Dropout(0.25))
        model.add(Flatten())
        model.add(Dense(1024))
        model.add(Activation('relu'))
        model.add(BatchNormalization())
        model.add(Dropout(0.5))
        model.add(Dense(classes))
        model.add(Activation('softmax'))
        return model

# %%
from keras.optimizers import Adam
from keras.preprocessing.image import ImageDataGenerator
from keras.preprocessing.image import img_to_array
EPOCHS, RATE, BATCH = 1, 1e-3, 8
aug = ImageDataGenerator(rotation_range=25, width_shift_range=0.1, height_shift_range=0.1, shear_range=0.2,
                         zoom_range=0.2, horizontal_flip=True, fill_mode='nearest')
model = SmallVGG.build(96, 96, 3, len(lb.classes_))
model.compile(loss='categorical_crossentropy', optimizer=Adam(lr=RATE, decay=RATE / EPOCHS), metrics=['accuracy'])
H = model.fit_generator(aug.flow(trainX, trainY, batch_size=BATCH), validation_data=(testX, testY),
                        steps_per_epoch=len(trainX) // BATCH, epochs=EPOCHS, verbose=0)
print(model.count_params(), round(float(model.optimizer.lr), 6))
model.save('kinds.model')

# %%
import matplotlib.pyplot as plt
plt.style.use('seaborn-darkgrid')
for name in ('loss', 'val_loss', 'acc', 'val_acc'):
    plt.plot(np.arange(EPOCHS), H.history[name], label=name)
plt.legend()
plt.savefig('plot.png')

# %% 分類
from keras.models import load_model
model = load_model('kinds.model')
chances = model.predict(testX[:1])[0]
print(lb.classes_[chances.argmax()] in lb.classes_)
