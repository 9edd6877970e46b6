"""Weights of Keras's layers under their paths, with what the layers give, for tests/state_dict.rs.

    pip install keras==3.15.1 torch==2.15.0 safetensors==0.8.0 && KERAS_BACKEND=torch python make_keras.py keras.safetensors

`expected/{layer}/input` and `expected/{layer}/output` stand beside the weights; everything is computed in float64, the weights
then saved in float32, in which their values are exact. What goes into the file is made contiguous first: safetensors 0.8.0 writes
other arrays in the wrong order.
"""

import sys

import keras
import numpy as np
from safetensors.numpy import save_file

keras.config.set_floatx("float64")
rng = np.random.default_rng(7)
L = keras.layers
MODELS = {
    "lstm": [L.LSTM(5, return_sequences=True, name="lstm")],
    "both": [
        L.Bidirectional(L.LSTM(4, return_sequences=True), name="both_0"),
        L.Bidirectional(L.LSTM(4, return_sequences=True), name="both_1"),
    ],
    "after": [L.GRU(5, return_sequences=True, name="after")],
    "before": [L.GRU(5, return_sequences=True, reset_after=False, name="before")],
    "simple": [L.SimpleRNN(6, return_sequences=True, name="simple")],
    "bare": [L.GRU(3, return_sequences=True, use_bias=False, name="bare")],
}

arrays = {}
for name, layers in MODELS.items():
    x = rng.uniform(-1, 1, (2, 4, 3))
    y = keras.ops.convert_to_tensor(x)
    for layer in layers:
        layer.build(y.shape)
        for weight in layer.weights:
            weight.assign(rng.uniform(-0.5, 0.5, weight.shape).astype("float32").astype("float64"))
            arrays[weight.path] = np.ascontiguousarray(weight.numpy(), "float32")
        y = layer(y)
    arrays |= {f"expected/{name}/input": x, f"expected/{name}/output": np.ascontiguousarray(keras.ops.convert_to_numpy(y))}
save_file(arrays, sys.argv[1])
