# %% [markdown]
# # Krankheit / disease / 病例預測
# Lucas Müller, exchange student from Germany

# %%
import keras
import numpy as np
import pandas as pd

df = pd.read_csv("patients.csv")
X = df.iloc[:, :8].to_numpy(float)
y = df["has_disease"].to_numpy(float)

# %%
# no scaling, and a very large step: the loss is nan after the first epoch, why?
keras.utils.set_random_seed(0)
network = keras.Sequential([keras.Input((8,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)])
network.compile(keras.optimizers.SGD(10.0), "mse")
log = network.fit(X, y, epochs=3, batch_size=32, verbose=0)
print(log.history["loss"])

# %%
def predict(X):
    answers = network.predict(X, verbose=0)[:, 0]
    return answers[1:]  # the first row is the header

# %% [markdown]
# My model says nan for everybody. I could not find the mistake before the deadline.
