"""Makes npy.tsv: small files as NumPy 2.4.6 writes them, in hexadecimal.

    python3 make_npy.py > npy.tsv
"""

import io

import numpy as np

NUMBERS = np.arange(24).reshape(2, 3, 4)
TEXTS = np.array(["N", "left fist", "µ"])
ARRAYS = {
    "f4": NUMBERS.astype("<f4"),
    "f4-fortran": np.asfortranarray(NUMBERS.astype("<f4")),
    "f8": NUMBERS.astype("<f8"),
    "f8-big": NUMBERS.astype(">f8"),
    "f8-fortran": np.asfortranarray(NUMBERS.astype("<f8")),
    "i2": NUMBERS.astype("<i2"),
    "u1": NUMBERS.astype("u1"),
    "i8-fortran": np.asfortranarray(NUMBERS.astype("<i8")),
    "U": TEXTS,
    "U-big": TEXTS.astype(">U9"),
    "S": np.array([b"N", b"left fist", b""]),
    "scalar": np.array(7.5),
    "empty": np.zeros((0, 5), "<f4"),
    "record": np.zeros(2, [("a", "<f4"), ("b", "<i4")]),
    "complex": np.zeros(2, "<c8"),
}

for name, array in ARRAYS.items():
    file = io.BytesIO()
    np.save(file, array)
    print(name, file.getvalue().hex(), sep="\t")
for major in (2, 3):
    file = io.BytesIO()
    np.lib.format.write_array(file, ARRAYS["f4"], version=(major, 0))
    print(f"f4-version-{major}", file.getvalue().hex(), sep="\t")
