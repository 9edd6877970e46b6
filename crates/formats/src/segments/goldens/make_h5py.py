"""Makes h5py.h5: a segment file as a user of h5py might write one. Made with h5py 3.x (the version is in the file's root
attribute `made_with`), HDF5 as bundled with it.

    python make_h5py.py h5py.h5
"""

import sys

import h5py
import numpy as np

n, time, channels = 5, 8, 2
signals = (np.arange(n * time * channels, dtype=np.float64) / 8 - 3).reshape(n, time, channels)

with h5py.File(sys.argv[1], "w") as f:
    f.attrs["made_with"] = f"h5py {h5py.__version__}, HDF5 {h5py.version.hdf5_version}"
    d = f.create_dataset("signals", data=signals, chunks=(2, time, channels), compression="gzip", shuffle=True)
    d.attrs["sampling_frequency_hz"] = 250
    d.attrs["mark_index"] = np.uint8(3)
    d.attrs["channel_names"] = ["MLII", "Fc5."]
    f.create_dataset("label", data=["N", "V", "N", "façade", ""], dtype=h5py.string_dtype())
    f.create_dataset("subject", data=np.array([b"100", b"100", b"1", b"2", b"3"], dtype="S3"), compression="gzip")
    f.create_dataset("rr_after_s", data=[0.5, 0.75, np.nan, 1, 2])
