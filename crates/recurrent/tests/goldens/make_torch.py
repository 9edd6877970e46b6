"""Outputs, last states and gradients of PyTorch's LSTM, GRU and RNN in float64, for tests/torch.rs.

    pip install torch==2.15.0 && python make_torch.py > torch.json

Operands are not stored: both sides draw them from the same multiplicative hash, in multiples of 2^-16 that float32 holds
exactly. The loss is the sum of outputs and last states, each weighted by such values. Of long tensors every STRIDE-th value
is kept. Lengths go through pack_padded_sequence; inputs that are constant over time are repeated at every step, behind the
others; the GRU with its reset gate before the product, which PyTorch lacks, is written out in tensors here.
"""

import json
import sys

import torch

STRIDE, LONG = 31, 400
KINDS = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"]

def of(cell, batch, time, features, units, layers=1, bidirectional=True, initial=True, **more):
    about = dict(cell=cell, batch=batch, time=time, input=features, units=units, layers=layers)
    about.update(bidirectional=bidirectional, initial=initial, reset_after=True, constant=0, lengths=None)
    return about | more


CASES = [
    of("lstm", 1, 1, 1, 1, 1, False, False),
    of("lstm", 3, 5, 2, 7),
    of("lstm", 5, 9, 3, 13, 2),
    of("lstm", 14, 6, 1, 9, 3, False, False),
    of("lstm", 25, 33, 5, 40),
    of("lstm", 2, 150, 3, 16, 2, initial=False),
    of("gru", 1, 1, 1, 1, 1, False),
    of("gru", 3, 5, 2, 7),
    of("gru", 5, 9, 3, 13, 2, initial=False),
    of("gru", 25, 33, 5, 40),
    of("gru", 2, 150, 3, 16, 2),
    of("simple", 1, 1, 1, 1, 1, False),
    of("simple", 3, 5, 2, 7),
    of("simple", 5, 9, 3, 13, 2, initial=False),
    of("simple", 25, 33, 5, 40),
    of("simple", 2, 150, 3, 16, 2),
    # Rows of different lengths, down to one step; in the last of each, no row takes every step.
    of("lstm", 5, 9, 3, 13, 2, lengths=[9, 1, 4, 7, 2]),
    of("lstm", 14, 6, 1, 9, 3, False, False, lengths=[6, 5, 4, 3, 2, 1, 1, 2, 3, 4, 5, 6, 3, 1]),
    of("lstm", 2, 8, 2, 5, lengths=[5, 3]),
    of("gru", 5, 9, 3, 13, 2, lengths=[2, 9, 3, 1, 9]),
    of("gru", 3, 7, 2, 5, 1, False, lengths=[4, 1, 6]),
    of("simple", 5, 9, 3, 13, 2, initial=False, lengths=[1, 2, 9, 4, 8]),
    of("simple", 1, 3, 1, 1, 1, lengths=[2]),
    # Inputs that are constant over time.
    of("lstm", 1, 1, 1, 1, 1, False, constant=1),
    of("lstm", 5, 9, 3, 13, 2, constant=4),
    of("lstm", 26, 17, 2, 21, lengths=[1 + 5 * b % 17 for b in range(26)], constant=3),
    of("gru", 3, 5, 2, 7, initial=False, constant=2),
    of("gru", 13, 8, 2, 10, 2, lengths=[1 + 3 * b % 8 for b in range(13)], constant=5),
    of("simple", 3, 5, 2, 17, 2, lengths=[5, 2, 3], constant=3),
    # The reset gate before the product.
    of("gru", 1, 1, 1, 1, 1, False, reset_after=False),
    of("gru", 3, 5, 2, 7, reset_after=False),
    of("gru", 5, 9, 3, 13, 2, initial=False, reset_after=False),
    of("gru", 25, 33, 5, 40, reset_after=False),
    of("gru", 2, 150, 3, 16, 1, reset_after=False),
    of("gru", 13, 8, 2, 10, 2, lengths=[1 + 3 * b % 8 for b in range(13)], constant=5, reset_after=False),
]


def draw(shape, seed, scale):
    """Value i is ((i + 1) * 2654435761 + seed * 40503 mod 2^32, upper half) spread over [-scale, scale)."""
    n = int(torch.tensor(shape).prod())
    values = [((((i + 1) * 2654435761 + seed * 40503) * 2246822519) % 2**32 >> 16) for i in range(n)]
    return (torch.tensor(values, dtype=torch.float64) / 32768 - 1).reshape(shape) * scale


def thin(tensor):
    values = tensor.detach().flatten().tolist()
    return [float(f"{v:.9g}") for v in (values if len(values) <= LONG else values[::STRIDE])]


def before(net, x, lengths, h0):
    """A GRU as torch.nn.GRU, but for n = tanh(W x + b + U (r * h) + b'): the reset gate before the product."""
    batch, time, _ = x.shape
    last, directions = [], 2 if net.bidirectional else 1
    for layer in range(net.num_layers):
        outputs = []
        for direction in range(directions):
            suffix = "_reverse" if direction else ""
            w, u, b, c = (getattr(net, f"{kind}_l{layer}{suffix}") for kind in KINDS)
            rows, ends = [], []
            for row in range(batch):
                length = time if lengths is None else lengths[row]
                h, outs = h0[layer * directions + direction, row], [None] * length
                for step in reversed(range(length)) if direction else range(length):
                    n = net.hidden_size
                    p, q = w @ x[row, step] + b, u[: 2 * n] @ h + c[: 2 * n]
                    r, z = torch.sigmoid(p[:n] + q[:n]), torch.sigmoid(p[n : 2 * n] + q[n:])
                    h = (1 - z) * torch.tanh(p[2 * n :] + u[2 * n :] @ (r * h) + c[2 * n :]) + z * h
                    outs[step] = h
                rows.append(torch.cat([torch.stack(outs), torch.zeros(time - length, n, dtype=h.dtype)]))
                ends.append(h)
            outputs.append(torch.stack(rows))
            last.append(torch.stack(ends))
        x = torch.cat(outputs, -1)
    return x, torch.stack(last)


def run(net, x, lengths, state):
    if lengths is None:
        return net(x, state)
    packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    y, last = net(packed, state)
    y, _ = torch.nn.utils.rnn.pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    return y, last


def case(about):
    cell, batch, time, units, layers = (about[k] for k in ("cell", "batch", "time", "units", "layers"))
    directions = 2 if about["bidirectional"] else 1
    net = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "simple": torch.nn.RNN}[cell](
        about["input"] + about["constant"],
        units,
        layers,
        batch_first=True,
        bidirectional=about["bidirectional"],
        dtype=torch.float64,
    )
    suffixes = ["", "_reverse"][:directions]
    with torch.no_grad():
        for layer in range(layers):
            for k, kind in enumerate(KINDS):
                parts = [getattr(net, f"{kind}_l{layer}{suffix}") for suffix in suffixes]
                values = draw((directions, *parts[0].shape), 10 * layer + k, 0.5)
                for part, value in zip(parts, values):
                    part.copy_(value)
    leaves = {"input": draw((batch, time, about["input"]), 100, 1.0)}
    if about["initial"]:
        leaves["hidden"] = draw((layers * directions, batch, units), 101, 1.0)
        if cell == "lstm":
            leaves["cell_state"] = draw((layers * directions, batch, units), 102, 1.0)
    if about["constant"]:
        leaves["constant"] = draw((batch, about["constant"]), 103, 1.0)
    for leaf in leaves.values():
        leaf.requires_grad_()
    x = leaves["input"]
    if about["constant"]:
        x = torch.cat([x, leaves["constant"][:, None, :].expand(-1, time, -1)], -1)
    state = leaves.get("hidden")
    if cell == "lstm" and state is not None:
        state = (state, leaves["cell_state"])
    if about["reset_after"]:
        y, last = run(net, x, about["lengths"], state)
    else:
        zeros = torch.zeros(layers * directions, batch, units, dtype=torch.float64)
        y, last = before(net, x, about["lengths"], zeros if state is None else state)
    last = list(last) if cell == "lstm" else [last]
    loss = (y * draw(y.shape, 200, 1.0)).sum()
    for k, part in enumerate(last):
        loss = loss + (part * draw(part.shape, 201 + k, 1.0)).sum()
    loss.backward()
    result = {"output": thin(y), "hidden": thin(last[0])}
    if cell == "lstm":
        result["cell_state"] = thin(last[1])
    for name, leaf in leaves.items():
        result[f"d_{name}"] = thin(leaf.grad)
    for layer in range(layers):
        for kind in KINDS:
            grads = [getattr(net, f"{kind}_l{layer}{suffix}").grad for suffix in suffixes]
            result[f"d_{kind}.{layer}"] = thin(torch.stack(grads))
    return dict(about, values=result)


json.dump({"torch": torch.__version__, "cases": [case(about) for about in CASES]}, sys.stdout, separators=(",", ":"))
print()
