# %% [markdown]
# # 病例預測 李欣怡
# 老師說只交一張圖也可以，所以我交了很多張圖 :)

# %%
import pandas as pd
import matplotlib.pyplot as plt
df = pd.read_csv("patients.csv")
df.describe()

# %%
for name in df.columns[:4]:
    plt.hist([df[df.has_disease == 0][name], df[df.has_disease == 1][name]], bins=15)
    plt.title(name)
    plt.show()

# %%
plt.imshow(df.corr())
plt.colorbar()
plt.xticks(range(9), df.columns, rotation=90)
plt.show()

# %% [markdown]
# 我覺得癲癇的人比較容易有病，因為圖上橘色的比較偏右邊。模型的部分我還不會，對不起。
