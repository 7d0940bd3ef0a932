# %% [markdown]
# # 病例預測作業 張家豪
# 模型照課本第五章的迴歸改的，一層就好，簡單。

# %%
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
from keras.models import Sequential
from keras.layers import Dense, Input
from keras.optimizers import Adam
from sklearn.preprocessing import MinMaxScaler

np.random.seed(0)
df = pd.read_csv('patients.csv')
sc = MinMaxScaler()
x = sc.fit_transform(df.values[:, :8])
y = df.values[:, 8]

# %%
model = Sequential()
model.add(Input((8,)))
model.add(Dense(1, activation='sigmoid'))
model.compile(loss='binary_crossentropy', optimizer=Adam(0.05), metrics=['accuracy'])
h = model.fit(x, y, epochs=12, batch_size=32, validation_split=0.2, verbose=0)
model.evaluate(x, y, verbose=0)

# %%
plt.plot(h.history['loss'])
plt.plot(h.history['val_loss'])
plt.show()

# %% [markdown]
# 準確率大概 0.7，加 epoch 也上不去，不知道為什麼 QQ
