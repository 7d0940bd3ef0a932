# %% [markdown]
# 迴歸：直線與三個小網路

# %%
import numpy as np
import matplotlib.pyplot as plt
from sklearn import linear_model
np.random.seed(0)

# %% 直線
x = np.random.rand(60, 1) * 3
y = 78 + 7.8 * x + np.random.normal(scale=3, size=x.shape)
line = linear_model.LinearRegression()
line.fit(x, y)
plt.scatter(x, y)
plt.plot(x, line.predict(x), 'r')
plt.show()
print(line.coef_.size + line.intercept_.size)

# %%
from keras.models import Sequential
from keras.layers.core import Dense, Dropout

def train(net, **words):
    net.compile(loss='mse', optimizer='rmsprop')
    return net.fit(x, y, validation_split=0.2, nb_epoch=1, batch_size=200, verbose=0, **words)

# %% dropout
net = Sequential()
net.add(Dense(4, input_dim=1, init='normal', activation='relu'))
net.add(Dropout(p=0.5))
net.add(Dense(8, init='normal', activation='relu'))
net.add(Dropout(p=0.5))
net.add(Dense(1, init='normal'))
hist = train(net)
plt.plot(hist.history['loss'])
plt.plot(hist.history['val_loss'])
print(net.count_params())

# %% 第一個
net = Sequential()
net.add(Dense(output_dim=4, input_dim=1, activation='relu'))
net.add(Dense(output_dim=8, activation='relu'))
net.add(Dense(output_dim=4, activation='relu'))
net.add(Dense(output_dim=1))
train(net)
print(net.count_params())

# %% 第二個
net = Sequential([Dense(4, input_shape=(1,), activation='relu')])
for width in [8, 16, 32, 16, 4]:
    net.add(Dense(width, activation='relu'))
net.add(Dense(1))
train(net)
print(net.count_params())
print(net.evaluate(x, y, verbose=0) > 0)
