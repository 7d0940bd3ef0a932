# %% [markdown]
# 十類彩色小圖：訓練、混淆表、存檔

# %%
import numpy as np
np.random.seed(10)
images = np.random.randint(0, 256, (24, 32, 32, 3)).astype('uint8')
labels = np.arange(24).reshape(-1, 1) % 10
X = images.astype('float32') / 255.0
from tensorflow.keras.utils import to_categorical
Y = to_categorical(labels)

# %%
from keras import layers
from keras import models
model = models.Sequential()
for place, (filters, rate) in enumerate([(32, 0.25), (64, 0.25), (128, 0.3)]):
    first = {'input_shape': (32, 32, 3)} if place == 0 else {}
    model.add(layers.Conv2D(filters=filters, kernel_size=(3, 3), activation='relu', border_mode='same', **first))
    model.add(layers.Dropout(p=rate))
    model.add(layers.Conv2D(filters=filters, kernel_size=(3, 3), activation='relu', border_mode='same'))
    model.add(layers.MaxPooling2D(pool_size=(2, 2)))
model.add(layers.Flatten())
for width in (2500, 1500):
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(width, activation='relu'))
model.add(layers.Dropout(0.3))
model.add(layers.Dense(10, activation='softmax'))
print(model.count_params())

# %%
try:
    model.load_weights('Saved/objects.h5')
except Exception:
    print('no weights yet')
model.compile(loss='categorical_crossentropy', optimizer='adam', metrics=['accuracy'])
train_history = model.fit(X, Y, validation_split=0.2, epochs=1, batch_size=500, verbose=1)

# %%
import matplotlib.pyplot as plt
def show(history, one, other):
    plt.plot(history.history[one])
    plt.plot(history.history[other])
    plt.show()
show(train_history, 'acc', 'val_acc')
show(train_history, 'loss', 'val_loss')

# %% 混淆表與看錯的圖
import pandas as pd
prediction = model.predict_classes(X)
print(pd.crosstab(labels.reshape(-1), prediction, rownames=['label'], colnames=['predict']).values.sum())
table = pd.DataFrame({'label': labels.reshape(-1), 'predict': prediction})
print(len(table[table.label != table.predict]) > 0)
chances = model.predict_proba(X)
print(chances.shape)

# %% 存成 JSON 與權重
import os
os.mkdir('Saved')
with open('Saved/objects.json', 'w') as file:
    file.write(model.to_json())
model.save_weights('Saved/objects.h5')

# %% 再讀回來
from keras.models import model_from_json
with open('Saved/objects.json') as file:
    again = model_from_json(file.read())
again.load_weights('Saved/objects.h5')
print((again.predict(X) == model.predict(X)).all())
