# %% [markdown]
# 貓與狗：從頭訓練，再加資料擴增

# %%
import matplotlib
matplotlib.use('TkAgg')
import os
import numpy as np
from PIL import Image
rng = np.random.RandomState(3)
for part in ('train', 'validation'):
    for kind in ('cats', 'dogs'):
        folder = os.path.join('photos', part, kind)
        os.makedirs(folder)
        for place in range(3):
            Image.fromarray(rng.randint(0, 256, (30, 40, 3)).astype('uint8')).save(os.path.join(folder, '%d.jpg' % place))

# %%
from keras.preprocessing.image import ImageDataGenerator
plain = ImageDataGenerator(rescale=1./255)
train_generator = plain.flow_from_directory('photos/train', target_size=(150, 150), batch_size=3, class_mode='binary')
validation_generator = plain.flow_from_directory('photos/validation', target_size=(150, 150), batch_size=3, class_mode='binary')
for batch, answers in train_generator:
    print(batch.shape, answers.shape)
    break

# %%
from keras import layers
from keras import models
from keras import optimizers
def build(dropout):
    model = models.Sequential()
    model.add(layers.Conv2D(32, (3, 3), activation='relu', input_shape=(150, 150, 3)))
    model.add(layers.MaxPooling2D((2, 2)))
    for filters in (64, 128, 128):
        model.add(layers.Conv2D(filters, (3, 3), activation='relu'))
        model.add(layers.MaxPooling2D((2, 2)))
    model.add(layers.Flatten())
    if dropout:
        model.add(layers.Dropout(0.5))
    model.add(layers.Dense(512, activation='relu'))
    model.add(layers.Dense(1, activation='sigmoid'))
    model.compile(loss='binary_crossentropy', optimizer=optimizers.RMSprop(lr=1e-4), metrics=['acc'])
    return model

# %%
model = build(False)
print(model.count_params())
history = model.fit_generator(train_generator, steps_per_epoch=2, epochs=1, validation_data=validation_generator,
                              validation_steps=1)
model.save('cats_dogs.h5')
acc, val_acc = history.history['acc'], history.history['val_acc']

# %% 擴增後的樣子
import matplotlib.pyplot as plt
from keras.preprocessing import image
augmented = ImageDataGenerator(rotation_range=40, width_shift_range=0.2, height_shift_range=0.2, shear_range=0.2,
                               zoom_range=0.2, horizontal_flip=True, fill_mode='nearest')
photo = image.img_to_array(image.load_img('photos/train/cats/0.jpg', target_size=(150, 150)))
for place, batch in enumerate(augmented.flow(photo.reshape((1,) + photo.shape), batch_size=1)):
    plt.figure(place)
    plt.imshow(image.array_to_img(batch[0]))
    if place == 1:
        break

# %%
model = build(True)
print(model.count_params())
augmented = ImageDataGenerator(rescale=1./255, rotation_range=40, width_shift_range=0.2, height_shift_range=0.2,
                               shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
train_generator = augmented.flow_from_directory('photos/train', target_size=(150, 150), batch_size=4, class_mode='binary')
history = model.fit_generator(train_generator, steps_per_epoch=3, epochs=2, verbose=0,
                              validation_data=validation_generator, validation_steps=1)
print(int(model.optimizer.iterations))
plt.plot(range(1, 3), history.history['acc'], 'bo', label='Training acc')
plt.plot(range(1, 3), history.history['val_acc'], 'b', label='Validation acc')
plt.legend()
print(model.predict_generator(validation_generator, steps=2).shape)

# %%
from keras.models import load_model
print(load_model('cats_dogs.h5').layers[0].output_shape)
