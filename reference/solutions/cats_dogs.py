# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Cat or dog？貓還是狗？
#
# 2000 photos to learn from, 1000 to judge by. Which animal is it？只用 2000 張照片，讓電腦分辨貓和狗。

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(7)
SIZE = (150, 150)

# %% [markdown]
# ## 1. The data 資料

# %%
folders = {part: f"cats_and_dogs_filtered/{part}" for part in ("train", "validation")}
photos = {
    part: keras.utils.image_dataset_from_directory(folder, image_size=SIZE, batch_size=50, shuffle=False)
    for part, folder in folders.items()
}
NAMES = photos["train"].class_names  # ["cats", "dogs"]: 0 and 1

# %% [markdown]
# Look at some photos. What makes this hard？看看幾張照片：難在哪裡？

# %%
### BEGIN SOLUTION
figure, places = plt.subplots(2, 5, figsize=(10, 4.4))
for (part, kind), row in zip([("train", 0), ("train", 1)], places):
    some = photos[part].unbatch().filter(lambda _, label, kind=kind: label == kind).take(5).as_numpy_iterator()
    for place, (picture, label) in zip(row, some):
        place.imshow(picture.astype("uint8"))
        place.set_title(NAMES[label], fontsize=9)
        place.axis("off")
plt.show()
### END SOLUTION

# %% [markdown]
# ## 2. The model 模型
#
# From scratch, with augmentation, or with a network that has seen a million photos? Why？
# 從頭訓練、加上資料擴增、還是遷移學習？說明你的選擇。

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# Three ways lead here, and the course has walked all of them. A network **from scratch** learns 2000 photos by heart
# within a few epochs and stays below three quarters on new ones. The same network with **augmentation** (turned, moved,
# zoomed, flipped photos) and dropout sees something new in every epoch and reaches about 0.8. **Transfer** takes the
# convolutions of VGG16, which learnt edges, fur, ears and snouts from 1.3 million photos of ImageNet, and trains only a
# small decision on top of them. With 2000 photos nothing else comes near.
#
# VGG16 never changes here, so its answer to a photo is always the same. It is worked out **once** for each photo and
# kept: 4 × 4 × 512 numbers. That takes minutes; what is trained afterwards is small and takes seconds an epoch. VGG16
# was trained on colours in the order blue, green, red with their averages taken away, so it must get them like that.
# <!-- ### END SOLUTION -->

# %%
### BEGIN SOLUTION
base = keras.applications.VGG16(weights="imagenet", include_top=False, input_shape=(*SIZE, 3))
base.trainable = False
inputs = keras.Input((*SIZE, 3))
extractor = keras.Model(inputs, base(keras.applications.vgg16.preprocess_input(inputs)))  # -> (4, 4, 512)

features = {part: extractor.predict(photos[part].map(lambda picture, _: picture), verbose=2) for part in photos}
labels = {part: np.concatenate([label for _, label in photos[part].as_numpy_iterator()]) for part in photos}
print({part: features[part].shape for part in features})
### END SOLUTION

# %%
### BEGIN SOLUTION
head = keras.Sequential(
    [
        keras.Input(features["train"].shape[1:]),
        keras.layers.Flatten(),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
head.compile(keras.optimizers.RMSprop(2e-5), loss="binary_crossentropy", metrics=["accuracy"])
head.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training 訓練
#
# Draw the curves of loss and accuracy. 畫出損失與準確率曲線。

# %%
### BEGIN SOLUTION
history = head.fit(
    features["train"],
    labels["train"],
    epochs=15,
    batch_size=20,
    validation_data=(features["validation"], labels["validation"]),
    verbose=2,
)
### END SOLUTION

# %%
### BEGIN SOLUTION
for measure in ("loss", "accuracy"):
    plt.plot(history.history[measure], label="training")
    plt.plot(history.history[f"val_{measure}"], label="validation")
    plt.xlabel("epoch")
    plt.ylabel(measure)
    plt.title(f"{measure} curve")
    plt.legend()
    plt.show()
### END SOLUTION

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# Validation is good from the first epoch on: the hard part was learnt long before, on other photos. After some epochs
# training is nearly perfect and validation no longer moves. The small learning rate keeps it from running away.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## 4. How good is it？結果
#
# Put the parts together, so that `model` takes photos of 150 × 150 bytes. 把各部分接起來，讓 `model` 直接輸入原始照片。

# %%
### BEGIN SOLUTION
model = keras.Model(inputs, head(extractor(inputs)))  # (n, 150, 150, 3) bytes -> (n, 1): how likely it is a dog
model.compile(loss="binary_crossentropy", metrics=["accuracy"])
### END SOLUTION

# %%
### BEGIN SOLUTION
from sklearn.metrics import confusion_matrix

probabilities = head.predict(features["validation"], verbose=0)[:, 0]
truth = labels["validation"]
wrong = np.flatnonzero((probabilities > 0.5) != truth)
print(f"accuracy on the validation photos: {1 - len(wrong) / len(truth):.3f}")
print(confusion_matrix(truth, probabilities > 0.5, labels=[0, 1]))  # rows: cats, dogs; columns: called so

pictures = np.concatenate([batch for batch, _ in photos["validation"].as_numpy_iterator()]).astype("uint8")
figure, places = plt.subplots(1, 5, figsize=(10, 2.6))
for place, row in zip(places, wrong):
    place.imshow(pictures[row])
    place.set_title(f"{NAMES[truth[row]]}, dog with {probabilities[row]:.2f}", fontsize=9)
    place.axis("off")
plt.show()
### END SOLUTION

# %%
### BEGIN SOLUTION
model.save("cats_dogs.keras")
print(np.allclose(model.predict(pictures[:4], verbose=0)[:, 0], probabilities[:4], atol=0.05))
### END SOLUTION

# %% [markdown]
# ## 5. What I learnt 心得

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# The same 2000 photos give three quarters, four fifths or nine tenths and more, depending only on what the network knew
# before. The mistakes that are left are photos in which the animal is small, turned away or half behind something, and
# some that people would call unfair. Cached features have a price: photos cannot be augmented any more, because each
# was looked at once. Whoever wants that has to run VGG16 in every epoch, which takes many times as long without a GPU.
#
# **中文摘要** 只有 2000 張照片，從頭訓練很快就死背，驗證準確率停在七成多；加上資料擴增與 dropout 大約八成；
# 用 VGG16 的卷積層做遷移學習可以超過九成，因為它早已從 ImageNet 的百萬張照片學會邊緣、毛皮、耳朵與鼻子。
# 卷積層不訓練，所以每張照片的特徵只要算一次，之後訓練小小的分類層只要幾秒鐘。
# 記得照 VGG16 當初的方式前處理（藍綠紅順序、減去平均），否則準確率會差一大截。
# 剩下認錯的，多半是動物太小、背對鏡頭或被擋住的照片。
# <!-- ### END SOLUTION -->
