# %% [markdown]
# 貓與狗：借用 VGG16，先取特徵，再微調，最後看看中間層

# %%
import os
import numpy as np
from PIL import Image
rng = np.random.RandomState(5)
for part in ('train', 'validation', 'test'):
    for kind in ('cats', 'dogs'):
        folder = os.path.join('small', part, kind)
        os.makedirs(folder)
        for place in range(2):
            Image.fromarray(rng.randint(0, 256, (60, 50, 3)).astype('uint8')).save(os.path.join(folder, '%d.jpg' % place))

# %%
from keras.applications import VGG16
conv_base = VGG16(weights='imagenet', include_top=False, input_shape=(150, 150, 3))
conv_base.summary()
print(conv_base.count_params())

# %%
from keras.preprocessing.image import ImageDataGenerator
datagen = ImageDataGenerator(rescale=1./255)
def extract_features(directory, sample_count):
    features = np.zeros(shape=(sample_count, 4, 4, 512))
    labels = np.zeros(shape=(sample_count))
    generator = datagen.flow_from_directory(directory, target_size=(150, 150), batch_size=2, class_mode='binary')
    i = 0
    for inputs_batch, labels_batch in generator:
        features[i * 2 : (i + 1) * 2] = conv_base.predict(inputs_batch)
        labels[i * 2 : (i + 1) * 2] = labels_batch
        i += 1
        if i * 2 >= sample_count:
            break
    return features, labels
train_features, train_labels = extract_features('small/train', 4)
train_features = np.reshape(train_features, (4, 4 * 4 * 512))

# %%
from keras import models
from keras import layers
from keras import optimizers
head = models.Sequential()
head.add(layers.Dense(256, activation='relu', input_dim=4 * 4 * 512))
head.add(layers.Dropout(0.5))
head.add(layers.Dense(1, activation='sigmoid'))
head.compile(optimizer=optimizers.RMSprop(lr=2e-5), loss='binary_crossentropy', metrics=['acc'])
history = head.fit(train_features, train_labels, epochs=2, batch_size=2, validation_split=0.5)
print(len(history.history['val_acc']))

# %%
model = models.Sequential()
model.add(conv_base)
model.add(layers.Flatten())
model.add(layers.Dense(256, activation='relu'))
model.add(layers.Dense(1, activation='sigmoid'))
print(model.count_params())
print('before', len(model.trainable_weights))
conv_base.trainable = False
print('after', len(model.trainable_weights))

# %%
train_datagen = ImageDataGenerator(rescale=1./255, rotation_range=40, width_shift_range=0.2, height_shift_range=0.2,
                                   shear_range=0.2, zoom_range=0.2, horizontal_flip=True, fill_mode='nearest')
train_generator = train_datagen.flow_from_directory('small/train', target_size=(150, 150), batch_size=2, class_mode='binary')
validation_generator = datagen.flow_from_directory('small/validation', target_size=(150, 150), batch_size=2, class_mode='binary')
model.compile(loss='binary_crossentropy', optimizer=optimizers.RMSprop(lr=2e-5), metrics=['acc'])
history = model.fit_generator(train_generator, steps_per_epoch=2, epochs=1, validation_data=validation_generator,
                              validation_steps=2, verbose=2)
model.save('cats_and_dogs_small_3.h5')

# %%
conv_base.trainable = True
set_trainable = False
for layer in conv_base.layers:
    if layer.name == 'block5_conv1':
        set_trainable = True
    layer.trainable = set_trainable
model.compile(loss='binary_crossentropy', optimizer=optimizers.RMSprop(lr=1e-5), metrics=['acc'])
history = model.fit_generator(train_generator, steps_per_epoch=1, epochs=2, validation_data=validation_generator,
                              validation_steps=1, verbose=0)
print('fine', len(model.trainable_weights))

# %%
import matplotlib.pyplot as plt
def smooth_curve(points, factor=0.8):
    smoothed_points = []
    for point in points:
        if smoothed_points:
            smoothed_points.append(smoothed_points[-1] * factor + point * (1 - factor))
        else:
            smoothed_points.append(point)
    return smoothed_points
acc = history.history['acc']
plt.plot(range(1, len(acc) + 1), smooth_curve(acc), 'bo', label='Smoothed training acc')
plt.plot(range(1, len(acc) + 1), smooth_curve(history.history['val_acc']), 'b', label='Smoothed validation acc')
plt.legend()
plt.show()
test_generator = datagen.flow_from_directory('small/test', target_size=(150, 150), batch_size=2, class_mode='binary')
test_loss, test_acc = model.evaluate_generator(test_generator, steps=2)
print(0 <= test_acc <= 1)

# %%
from keras.preprocessing import image
img_tensor = image.img_to_array(image.load_img('small/test/cats/0.jpg', target_size=(150, 150)))
img_tensor = np.expand_dims(img_tensor, axis=0) / 255.
layer_outputs = [layer.output for layer in conv_base.layers[1:9]]
activation_model = models.Model(input=conv_base.input, output=layer_outputs)
activations = activation_model.predict(img_tensor)
print(len(activations), activations[0].shape)
