"""Outputs, last states and gradients of PyTorch's LSTM, GRU and RNN in float64, for tests/torch.rs.

    pip install torch==2.15.0 && python make_torch.py > torch.json

Operands are not stored: both sides draw them from the same multiplicative hash, in multiples of 2^-16 that float32 holds
exactly. The loss is the sum of outputs and last states, each weighted by such values. Of long tensors every STRIDE-th value
is kept.
"""

import json
import sys

import torch

STRIDE, LONG = 31, 400
# cell, batch, time, input, units, layers, bidirectional, initial states
CASES = [
    ("lstm", 1, 1, 1, 1, 1, False, False),
    ("lstm", 3, 5, 2, 7, 1, True, True),
    ("lstm", 5, 9, 3, 13, 2, True, True),
    ("lstm", 14, 6, 1, 9, 3, False, False),
    ("lstm", 25, 33, 5, 40, 1, True, True),
    ("lstm", 2, 150, 3, 16, 2, True, False),
    ("gru", 1, 1, 1, 1, 1, False, True),
    ("gru", 3, 5, 2, 7, 1, True, True),
    ("gru", 5, 9, 3, 13, 2, True, False),
    ("gru", 25, 33, 5, 40, 1, True, True),
    ("gru", 2, 150, 3, 16, 2, True, True),
    ("simple", 1, 1, 1, 1, 1, False, True),
    ("simple", 3, 5, 2, 7, 1, True, True),
    ("simple", 5, 9, 3, 13, 2, True, False),
    ("simple", 25, 33, 5, 40, 1, True, True),
    ("simple", 2, 150, 3, 16, 2, True, True),
]


def draw(shape, seed, scale):
    """Value i is ((i + 1) * 2654435761 + seed * 40503 mod 2^32, upper half) spread over [-scale, scale)."""
    n = int(torch.tensor(shape).prod())
    values = [((((i + 1) * 2654435761 + seed * 40503) * 2246822519) % 2**32 >> 16) for i in range(n)]
    return (torch.tensor(values, dtype=torch.float64) / 32768 - 1).reshape(shape) * scale


def thin(tensor):
    values = tensor.detach().flatten().tolist()
    return [float(f"{v:.9g}") for v in (values if len(values) <= LONG else values[::STRIDE])]


def case(cell, batch, time, features, units, layers, bidirectional, initial):
    directions = 2 if bidirectional else 1
    net = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple": torch.nn.RNN}[cell](
        features, units, layers, batch_first=True, bidirectional=bidirectional, dtype=torch.float64
    )
    kinds = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]
    suffixes = ["", "_reverse"][:directions]
    with torch.no_grad():
        for layer in range(layers):
            for k, kind in enumerate(kinds):
                parts = [getattr(net, f"{kind}_l{layer}{suffix}") for suffix in suffixes]
                values = draw((directions, *parts[0].shape), 10 * layer + k, 0.5)
                for part, value in zip(parts, values):
                    part.copy_(value)
    x = draw((batch, time, features), 100, 1.0).requires_grad_()
    h = draw((layers * directions, batch, units), 101, 1.0).requires_grad_()
    c = draw((layers * directions, batch, units), 102, 1.0).requires_grad_()
    state = ((h, c) if cell == "lstm" else h) if initial else None
    y, last = net(x, state)
    last = list(last) if cell == "lstm" else [last]
    loss = (y * draw(y.shape, 200, 1.0)).sum()
    for k, part in enumerate(last):
        loss = loss + (part * draw(part.shape, 201 + k, 1.0)).sum()
    loss.backward()
    result = {"output": thin(y), "hidden": thin(last[0]), "d_input": thin(x.grad)}
    if cell == "lstm":
        result["cell_state"] = thin(last[1])
    if initial:
        result["d_hidden"] = thin(h.grad)
        if cell == "lstm":
            result["d_cell_state"] = thin(c.grad)
    for layer in range(layers):
        for kind in kinds:
            grads = [getattr(net, f"{kind}_l{layer}{suffix}").grad for suffix in suffixes]
            result[f"d_{kind}.{layer}"] = thin(torch.stack(grads))
    about = dict(cell=cell, batch=batch, time=time, input=features, units=units, layers=layers)
    return dict(about, bidirectional=bidirectional, initial=initial, values=result)


json.dump({"torch": torch.__version__, "cases": [case(*c) for c in CASES]}, sys.stdout, separators=(",", ":"))
print()
