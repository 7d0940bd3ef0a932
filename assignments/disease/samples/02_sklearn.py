# %% [markdown]
# # 病例預測 by 陳柏翰
# 電腦裝不起來 tensorflow，所以我用 scikit-learn 裡面的神經網路 MLPClassifier，老師說可以。
# 用 Pipeline 把標準化和模型接在一起，這樣預測的時候不會忘記先標準化。

# %%
import pandas as pd
import matplotlib.pyplot as plt
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.neural_network import MLPClassifier
from sklearn.model_selection import train_test_split, cross_val_score

data = pd.read_csv('patients.csv')
X = data.iloc[:, :8].values
y = data.iloc[:, 8].values
Xtr, Xte, ytr, yte = train_test_split(X, y, test_size=0.2, random_state=0)

# %%
clf = Pipeline([
    ('scale', StandardScaler()),
    ('mlp', MLPClassifier(hidden_layer_sizes=(32, 16), learning_rate_init=0.003, max_iter=40, alpha=0.01,
                          early_stopping=True, n_iter_no_change=40, random_state=0)),
])
clf.fit(Xtr, ytr)
print('train', clf.score(Xtr, ytr), 'test', clf.score(Xte, yte))

# %%
mlp = clf.named_steps['mlp']
plt.plot(mlp.loss_curve_, label='loss')
plt.plot(mlp.validation_scores_, label='validation accuracy')
plt.legend()
plt.title('MLPClassifier loss curve')
plt.show()

# %% [markdown]
# ## 結果
# 5-fold 交叉驗證也試了，每一折都在 0.8 以上，只是每一折會差到好幾個百分點，代表資料不夠多。
# 隱藏層 (32, 16) 比 (100,) 好一點點，(5,) 差不多，所以不需要很大的網路。
# 早停 (early stopping) 會自動留 10% 當驗證資料，所以圖上有驗證準確率。

# %%
print(cross_val_score(clf, X, y, cv=3).round(3))
