# %% [markdown]
# # 病例預測作業
# 二年一班 13 號 林詠晴
#
# ## 一、我在做什麼
# 這份作業要用八項病徵的程度來預測一個人有沒有得這種怪病。
# 我把整個過程分成五個步驟：看資料、切資料、標準化、建模型、檢查結果。
# 每做一步我都會寫下為什麼要這樣做，還有我原本以為會怎樣、結果卻怎樣。

# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
import keras
from keras import layers
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

keras.utils.set_random_seed(13)
df = pd.read_csv("patients.csv")
print(df.shape)
df.head()

# %% [markdown]
# ## 二、看資料
# 有病的人和沒病的人差不多各半，所以如果全部都猜「沒病」，準確率大概是 0.52，我的模型至少要贏過它。
# 我一開始以為每個病徵只要越高就越可能有病，所以先看相關係數。結果最高的癲癇也只有 0.3 左右，
# 其他的更低，抑鬱和輕佻驕傲幾乎看不出關係。這代表只看單一欄位是不夠的，要讓模型自己去找欄位之間的組合。

# %%
print(df.corr()["has_disease"].round(2))
df.hist(bins=20, figsize=(10, 8))
plt.tight_layout()
plt.show()

# %% [markdown]
# ## 三、切資料與標準化
# 我留 20% 當測試資料，訓練的時候完全不給模型看，這樣最後的分數才公平，不然就像先看過考卷再考試。
# 輸入的數字是 0 到 100，直接丟進神經網路會讓一開始的輸出太大，所以我用 StandardScaler 變成平均 0、標準差 1。
# 注意 fit 只能用訓練資料，不然測試資料的資訊會偷跑進來。

# %%
X = df.drop(columns=["has_disease"]).values
y = df["has_disease"].values
X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=13, stratify=y)
scaler = StandardScaler()
X_train_s = scaler.fit_transform(X_train)
X_test_s = scaler.transform(X_test)

# %% [markdown]
# ## 四、建模型
# 一共測了四種 CASE:
#
# | CASE | 隱藏層 | epoch | 驗證準確率 | 我的看法 |
# |---|---|---|---|---|
# | 1 | 沒有 | 30 | 0.70 左右 | 只有一條直線，學不到組合 |
# | 2 | 8 | 30 | 0.83 左右 | 有彎曲了，但是學得慢 |
# | 3 | 32-16 | 18 | 0.86 左右 | 剛剛好 |
# | 4 | 256-128 | 60 | 0.84 左右 | 訓練準確率 1.0，可是驗證損失一直上升，是過擬合 |
#
# 所以最後用 CASE 3，加一點點 Dropout。輸出是有病的機率，因此用 sigmoid 和 binary_crossentropy。

# %%
model = keras.Sequential([
    keras.Input(shape=(8,)),
    layers.Dense(32, activation="relu"),
    layers.Dropout(0.1),
    layers.Dense(16, activation="relu"),
    layers.Dense(1, activation="sigmoid"),
])
model.compile(optimizer=keras.optimizers.Adam(0.004), loss="binary_crossentropy", metrics=["accuracy"])
history = model.fit(X_train_s, y_train, validation_split=0.2, epochs=18, batch_size=32, verbose=0)

# %%
plt.plot(history.history["loss"], label="train loss")
plt.plot(history.history["val_loss"], label="val loss")
plt.xlabel("epoch")
plt.ylabel("loss")
plt.legend()
plt.show()

# %%
loss, acc = model.evaluate(X_test_s, y_test, verbose=0)
print("測試準確率：", round(acc, 3))

# %% [markdown]
# ## 五、結果與心得
# 從損失曲線可以看到前面幾個 epoch 下降最快，大約第 12 個之後驗證損失就平了，所以我停在 18。
# 測試準確率超過 0.8，比全部猜沒病和一條直線都好很多。
#
# 我最大的心得是：不是層數越多越好。CASE 4 把訓練資料背得一清二楚，遇到新病人反而比較差，跟考前死背題目一樣。
# 另外測試資料只有 160 筆，差一兩個百分點可能只是運氣，不能說 0.86 就一定比 0.85 好。
# 如果還有時間，我想看看哪些病人被猜錯，也想試試看換不同的亂數種子，結果會差多少。
