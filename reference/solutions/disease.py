# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Who has the disease？病例預測
#
# 800 patients, eight symptoms, one question: ill or not？用八項病徵的程度（0–100）預測患者是否患病。

# %%
import keras
import matplotlib.pyplot as plt
import pandas as pd

keras.utils.set_random_seed(7)

# %% [markdown]
# ## 1. The data 資料

# %%
patients = pd.read_csv("patients.csv")
X = patients.drop(columns="has_disease").to_numpy(dtype="float32")  # (800, 8) degrees, 0-100
y = patients["has_disease"].to_numpy()  # (800,) 0 or 1
patients.describe().loc[["mean", "std", "min", "max"]].round(1)

# %% [markdown]
# What do you see? Which symptoms differ between the ill and the healthy？你看到了什麼？

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# A model is only worth as much as the guess it beats, so first the guess: 52 % of these patients are healthy. Whoever
# calls everybody healthy is right 52 times in a hundred without looking at a single symptom.
#
# Every column has about the same middle and the same spread, so no symptom will drown the others, but values around 50
# are far too large for a freshly made network, whose weights expect numbers around 0. They must be scaled.
#
# Then the table below: the mean of each symptom among the healthy and among the ill. Epilepsy and schizophrenia are
# clearly higher among the ill. Depression and flippancy differ by half as much, no more than premenstrual tension
# does, so it is tempting to throw them away.
#
# The picture under the table shows why that would be the mistake of the day: the ill sit in two corners, depressed but
# not flippant, or flippant but not depressed. The healthy lie along the diagonal between them. Each symptom alone says
# almost nothing; both together say a lot. No straight line can part two corners from a diagonal, and that is exactly
# what a hidden layer is for.
# <!-- ### END SOLUTION -->

# %%
### BEGIN SOLUTION
means = patients.groupby("has_disease").mean().T.round(1)
means["difference"] = means[1] - means[0]
print(means)

ill = y == 1
plt.figure(figsize=(5, 5))
plt.scatter(X[~ill, 0], X[~ill, 3], s=10, label="healthy")
plt.scatter(X[ill, 0], X[ill, 3], s=10, label="ill")
plt.xlabel("depression")
plt.ylabel("flippancy")
plt.title("The ill sit in two corners")
plt.legend()
plt.show()
### END SOLUTION

# %% [markdown]
# ## 2. The model 模型
#
# Keep some patients aside for the end. How is the input scaled? Why these layers？為什麼這樣設計？

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# **Three parts.** 120 patients are put aside and not looked at until the last section. Of the other 680, one in seven
# is kept from training to draw the validation curve: it tells when the network stops learning the disease and starts
# learning the patients by heart.
#
# **Scaling inside the model.** The `Normalization` layer learns mean and spread of each symptom from the training
# patients only. Because it is part of the model, the clinic can feed the degrees as they are measured, and nobody can
# forget the scaling or do it differently from one day to the next.
#
# **Small on purpose.** Two hidden layers of 32 and 16 units have about 800 weights in all, as many as there are
# patients. More would be learnt by heart. ReLU bends the straight lines; the sigmoid at the end turns the sum into a
# probability between 0 and 1, which is what binary cross-entropy wants to see.
# <!-- ### END SOLUTION -->

# %%
### BEGIN SOLUTION
from sklearn.model_selection import train_test_split

X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=120, stratify=y, random_state=7)

scaling = keras.layers.Normalization()
scaling.adapt(X_train)

model = keras.Sequential(
    [
        keras.Input((8,)),
        scaling,
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(optimizer=keras.optimizers.Adam(0.004), loss="binary_crossentropy", metrics=["accuracy"])
model.summary()
### END SOLUTION

# %% [markdown]
# ## 3. Training 訓練
#
# Train with validation and draw the loss curve. What does it tell you？畫出損失曲線，並說明它告訴你什麼。

# %%
### BEGIN SOLUTION
history = model.fit(X_train, y_train, epochs=15, batch_size=32, validation_split=0.15, verbose=0)

plt.plot(history.history["loss"], label="training")
plt.plot(history.history["val_loss"], label="validation")
plt.xlabel("epoch")
plt.ylabel("loss (binary cross-entropy)")
plt.title("Loss curve")
plt.legend()
plt.show()
### END SOLUTION

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# Both curves fall steeply for the first ten epochs: the network finds the two corners. Then the training loss creeps on
# while the validation loss lies flat. That is the moment to stop. A trial with 100 epochs ended with every training
# patient right, about the same validation accuracy as here and a validation loss nearly three times as large: the
# network had learnt the patients by heart and grown sure of its mistakes.
# <!-- ### END SOLUTION -->

# %% [markdown]
# ## 4. How good is it？結果
#
# Compare with guessing and with a linear model, on the patients kept aside. 和「全部猜健康」及線性模型比一比。

# %%
### BEGIN SOLUTION
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

linear = LogisticRegression(max_iter=2000).fit(X_train, y_train)
test_loss, test_accuracy = model.evaluate(X_test, y_test, verbose=0)
probabilities = model.predict(X_test, verbose=0)[:, 0]  # (120, 1) -> (120,)

print(f"everybody healthy   {(y_test == 0).mean():.3f}")
print(f"logistic regression {linear.score(X_test, y_test):.3f}")
print(f"this network        {test_accuracy:.3f}")
print(confusion_matrix(y_test, probabilities > 0.5))  # rows: healthy, ill; columns: called healthy, called ill
### END SOLUTION

# %% [markdown]
# ## 5. What I learnt 心得

# %% [markdown]
# <!-- ### BEGIN SOLUTION -->
# Three cases were tried. Guessing gets about one half, the straight line about seven in ten, the network well over
# eight in ten. The step from the second to the third is the two corners in the picture, nothing else.
#
# The number has an uncertainty: 120 patients give it a margin of some six points either way, so 0.85 and 0.88 are not
# two different results. A miss in the lower left of the confusion matrix (an ill patient sent home) is worse than one
# in the upper right; a clinic would lower the limit of 0.5 and accept more false alarms.
#
# **中文摘要** 只看單一病徵時，抑鬱和輕佻驕傲幾乎沒有鑑別力；
# 把兩者畫在同一張圖上，才發現患者集中在兩個角落，一條直線怎麼切都切不開，
# 所以邏輯迴歸只有七成左右，加上兩層隱藏層的小網路就能超過八成。
# 輸入的標準化放在模型裡，之後直接輸入原始程度就能預測。
# 訓練十多個 epoch 後驗證損失不再下降，再練下去只會死背資料。
# 測試資料只有 120 筆，所以準確率大約有正負六個百分點的誤差。
# <!-- ### END SOLUTION -->
