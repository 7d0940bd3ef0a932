# %% [markdown]
# # 病例預測 吳承恩
# 我要訓練到準確率 100% 才停！

# %%
import pandas as pd
import keras
df = pd.read_csv('patients.csv')
X = df.iloc[:, :8].values / 100.0
y = df.iloc[:, 8].values

# %%
model = keras.Sequential([keras.Input((8,)), keras.layers.Dense(8, activation='relu'), keras.layers.Dense(1, activation='sigmoid')])
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])

# %%
losses = []
while True:
    h = model.fit(X, y, epochs=1, batch_size=64, verbose=0)
    losses.append(h.history['loss'][0])
    if h.history['accuracy'][0] > 0.9999999:
        break

# %%
import matplotlib.pyplot as plt
plt.plot(losses)
plt.show()
