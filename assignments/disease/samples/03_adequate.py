# %% [markdown]
# # 病例預測
# 20113 王小明
#
# 我上網查到 Gradient Boosting 很強，很多比賽都用它，所以這次先不用神經網路。

# %%
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split

df = pd.read_csv("patients.csv")
X = df.iloc[:, 0:8].to_numpy()
Y = df["has_disease"].to_numpy()
x_train, x_test, y_train, y_test = train_test_split(X, Y, test_size=0.2, random_state=42)

# %%
model = GradientBoostingClassifier(n_estimators=120, random_state=0)
model.fit(x_train, y_train)
print("準確率", model.score(x_test, y_test))

# %%
plt.plot(model.train_score_)
plt.title("loss")
plt.xlabel("棵數 trees")
plt.show()

# %% [markdown]
# 結果有超過 0.8，過關。樹從 100 棵加到 120 棵，訓練的 loss 一直降，可是測試準確率幾乎沒有變好。
