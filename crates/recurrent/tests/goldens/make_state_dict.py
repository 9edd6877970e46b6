"""Weights of PyTorch's layers as users save them, with what the layers give, for tests/state_dict.rs.

    pip install torch==2.15.0 safetensors==0.8.0 && python make_state_dict.py torch.safetensors

One file with four layers under prefixes of their own, in different types, and arrays that are none of theirs. Beside the
weights stand `expected.input`, `expected.output`, `expected.hidden` and, of an LSTM, `expected.cell`, computed in float64 from the
weights as saved.
"""

import sys

import torch
from safetensors.torch import save_file

torch.manual_seed(7)
LAYERS = {
    "encoder.rnn.": (torch.nn.LSTM(3, 5, 2, batch_first=True, bidirectional=True), torch.float32),
    "decoder.": (torch.nn.GRU(4, 6, batch_first=True, bias=False), torch.float64),
    "": (torch.nn.RNN(2, 7, batch_first=True, bidirectional=True), torch.float16),
    "small.": (torch.nn.LSTM(2, 3, batch_first=True), torch.bfloat16),
}

arrays = {"head.weight": torch.randn(2, 5), "head.bias_scale": torch.randn(2), "encoder.steps": torch.tensor([3])}
for prefix, (layer, kind) in LAYERS.items():
    layer = layer.to(kind)
    arrays |= {prefix + name: value.clone() for name, value in layer.state_dict().items()}
    layer = layer.to(torch.float64)
    x = torch.randn(2, 4, layer.input_size, dtype=torch.float64)
    with torch.no_grad():
        y, last = layer(x)
    last = last if isinstance(last, tuple) else (last,)
    arrays |= {f"{prefix}expected.{name}": v.contiguous() for name, v in zip(("input", "output", "hidden", "cell"), (x, y, *last))}
save_file(arrays, sys.argv[1], {"format": "pt"})
