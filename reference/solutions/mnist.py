# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Handwritten digits 手寫數字辨識
#
# 70,000 digits that people wrote by hand, 28 × 28 pixels each: which digit is it？用卷積神經網路辨識手寫數字。

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np

keras.utils.set_random_seed(7)

# %% [markdown]
# ## 1. The data 資料

# %%
(x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
print(x_train.shape, x_train.dtype, x_train.min(), x_train.max(), np.bincount(y_train))  # (n, 28, 28) bytes, 0-255

# %% [markdown]
# Look at some digits. What will be hard, what must be scaled？看幾個數字：哪些容易混淆？數值需要怎麼調整？

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# Every digit occurs about equally often, so a guess is right one time in ten, and accuracy is a fair measure. The
# ground is black (0), the ink white (up to 255), and each digit sits in the middle. Numbers up to 255 are far too large
# for fresh weights, which expect something around 0 to 1: they have to be divided by 255. Fours with a closed top look
# like nines, ones with a long nose look like sevens: these are the mistakes to expect.
# <!-- ### END SOLUTION -->

# %%
### BEGIN SOLUTION
figure, places = plt.subplots(2, 10, figsize=(10, 2.4))
for place, picture, digit in zip(places.flat, x_train, y_train):
    place.imshow(picture, cmap="gray")
    place.set_title(digit, fontsize=9)
    place.axis("off")
plt.show()
### END SOLUTION

# %% [markdown]
# ## 2. The model 模型
#
# Why convolutions, why these layers？為什麼用卷積層？每一層在做什麼？

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# A dense layer would have to learn the same stroke anew at each of 784 places. A convolution learns one small pattern
# of 3 × 3 pixels and looks for it everywhere. Pooling keeps the strongest answer of each 2 × 2 field, so that a stroke
# a little further to the left is still the same stroke. After three convolutions a point has seen nearly the whole
# digit, and one dense layer is enough to decide.
#
# Dividing by 255 is the first layer of the model, not a line of its own: whoever uses the model later gives it the
# bytes as they are and cannot forget it. Dropout switches off every fourth unit at random while training, so that no
# unit may rely on a single other one. The last layer has ten units, and softmax turns them into probabilities that add
# up to one.
# <!-- ### END SOLUTION -->

# %%
### BEGIN SOLUTION
model = keras.Sequential(
    [
        keras.Input((28, 28, 1)),
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(32, 3, activation="relu"),  # (26, 26, 32)
        keras.layers.MaxPooling2D(),  # (13, 13, 32)
        keras.layers.Conv2D(64, 3, activation="relu"),  # (11, 11, 64)
        keras.layers.MaxPooling2D(),  # (5, 5, 64)
        keras.layers.Conv2D(64, 3, activation="relu"),  # (3, 3, 64)
        keras.layers.Flatten(),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.25),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training 訓練
#
# Keep a part for validation; draw the curves of loss and accuracy. 留一部分做驗證，畫出損失與準確率曲線。

# %%
### BEGIN SOLUTION
history = model.fit(x_train[..., None], y_train, epochs=5, batch_size=128, validation_split=0.1, verbose=2)
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
# The first epoch does most of the work. While training, validation lies *above* training for a while: dropout makes
# training harder than the real thing. When the two curves cross and validation stops falling, more epochs only teach
# the network its training digits by heart; five are enough here.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## 4. How good is it？結果
#
# A confusion matrix, some misclassified digits, and how sure the model was. 混淆矩陣、認錯的數字、每個類別的機率。

# %%
### BEGIN SOLUTION
from sklearn.metrics import confusion_matrix

probabilities = model.predict(x_test[..., None], verbose=0)  # (n, 10)
answers = probabilities.argmax(axis=1)
wrong = np.flatnonzero(answers != y_test)
print(f"accuracy on the test digits: {(answers == y_test).mean():.4f}, {len(wrong)} mistakes")
print(confusion_matrix(y_test, answers))  # rows: what it is; columns: what it was called
### END SOLUTION

# %%
### BEGIN SOLUTION
figure, places = plt.subplots(2, 5, figsize=(10, 4.6))
for place, row in zip(places.flat, wrong):
    place.imshow(x_test[row], cmap="gray")
    place.set_title(f"{y_test[row]}, called {answers[row]}\nwith {probabilities[row].max():.2f}", fontsize=9)
    place.axis("off")
plt.tight_layout()
plt.show()
### END SOLUTION

# %%
### BEGIN SOLUTION
shown = wrong[:1] if len(wrong) else np.array([0])
plt.bar(range(10), probabilities[shown[0]])
plt.xticks(range(10))
plt.xlabel("digit")
plt.ylabel("probability")
plt.title(f"A {y_test[shown[0]]}, and what the model thinks")
plt.show()
### END SOLUTION

# %% [markdown]
# ## 5. Keep it 儲存模型

# %%
### BEGIN SOLUTION
model.save("digits.keras")
again = keras.saving.load_model("digits.keras")
print(np.allclose(again.predict(x_test[:100, ..., None], verbose=0), probabilities[:100], atol=1e-5))
### END SOLUTION

# %% [markdown]
# ## 6. What I learnt 心得

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# The test digits are as centred as the training digits. A digit that is turned by a few degrees or moved by a pixel is
# still the same digit to us, and to a network with pooling it nearly is; moved by two pixels it is not, because the
# dense layer knows where in the picture things are. Whoever wants to read digits out of real forms has to move and
# turn them while training.
#
# **中文摘要** 每個數字大約各佔一成，用猜的只會對一成。像素值除以 255 放在模型的第一層，
# 之後直接輸入原始圖片就好。卷積層在整張圖上尋找同一種筆畫，池化讓筆畫稍微移動也認得出來，
# 所以參數不多就能認得很準。錯的多半是連人都會猶豫的字，例如上方封口的 4 與 9。
# 訓練五個 epoch 後驗證損失就不太下降了，再練只是死背訓練資料。
# 圖片平移一個像素影響不大，平移兩個像素就會錯很多，這是資料都置中造成的，要用資料擴增來補救。
# <!-- ### END SOLUTION -->
