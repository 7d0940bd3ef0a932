# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A curve under noise 雜訊底下的曲線
#
# 2000 points that jump up and down around a hidden curve. Build a model that finds it.
# 請建立模型，找出藏在雜訊底下的曲線。

# %%
import keras
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

keras.utils.set_random_seed(1)

# %%
points = pd.read_csv("cosine.csv").sample(frac=1, random_state=1)  # shuffled: validation takes the last rows
x = points[["x"]].to_numpy()  # (2000, 1), -10 to 10
y = points["y"].to_numpy()  # (2000,)

plt.scatter(x, y, s=4)
plt.xlabel("x")
plt.ylabel("y")
plt.show()

# %% [markdown]
# ## 1. The model 模型
#
# How many layers, how wide, and why？要幾層？多寬？為什麼？

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# A straight line cannot turn, and this curve turns three times. A ReLU unit is a line with one kink, so a layer of 64
# of them has kinks enough, and a second layer puts them where they are needed. The output is a plain number, therefore
# no activation at the end, and the loss is the mean squared error.
#
# `Rescaling` brings x from [-10, 10] to [-1, 1]. The step size of the optimiser shrinks to nothing along a cosine:
# large steps find the shape, small ones at the end stop the curve from trembling with the last batch it saw.
# <!-- ### END SOLUTION -->

# %%
### BEGIN SOLUTION
epochs, batch_size = 20, 64
steps = epochs * int(0.8 * len(x)) // batch_size

model = keras.Sequential(
    [
        keras.Input((1,)),
        keras.layers.Rescaling(1 / 10),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(1),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(0.01, steps)), loss="mse")
model.summary()
### END SOLUTION

# %% [markdown]
# ## 2. Training 訓練
#
# Keep a fifth of the points for validation and draw the loss curve. 保留五分之一的資料做驗證，並畫出損失曲線。

# %%
### BEGIN SOLUTION
history = model.fit(x, y, epochs=epochs, batch_size=batch_size, validation_split=0.2, verbose=0)

plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.axhline(1, color="gray", linestyle=":", label="the noise itself")
plt.xlabel("epoch")
plt.ylabel("loss (mean squared error)")
plt.title("Loss curve")
plt.legend()
plt.show()
### END SOLUTION

# %% [markdown]
# ## 3. Is it good？好不好？
#
# Draw the model over the points. How low can the loss get, and why？損失最低可以到多少？為什麼？

# %%
### BEGIN SOLUTION
grid = np.linspace(-10, 10, 400)[:, np.newaxis]  # (400, 1)
plt.scatter(x, y, s=4, alpha=0.3)
plt.plot(grid, model.predict(grid, verbose=0), color="red")
plt.title("The model over the points")
plt.show()

print(f"validation loss in the last epoch: {history.history['val_loss'][-1]:.3f}")
### END SOLUTION

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# The loss falls from about 5 and settles near 1, where the dotted line is. It cannot go lower: the points jump around
# the curve with variance 1, and nobody can foretell a jump. A training loss clearly under that line would be no
# success but a model that has learnt the jumps by heart, and the validation loss would rise to show it. Here both lie
# together, so the red line is the curve and not the noise.
#
# **中文摘要** 兩層各 64 個 ReLU 單元就能彎出這條曲線。
# 損失降到 1 左右就停住了，因為雜訊的變異數就是 1，再好的模型也猜不到雜訊；
# 如果訓練損失比 1 低很多，而驗證損失反而上升，就表示模型在死背雜訊。
# <!-- ### END SOLUTION -->
