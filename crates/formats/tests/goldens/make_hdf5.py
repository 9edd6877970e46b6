"""HDF5 files of recordings as other programs write them: h5py 3.x with gzip and shuffle, and the form of MATLAB 7.3.

    python make_hdf5.py            writes h5py.h5 and matlab.mat beside it

MATLAB's files are HDF5 behind a block of 512 bytes, with a matrix's axes in the opposite order and its class as an attribute; matlab.mat
is made so with h5py, since MATLAB itself was not at hand. Values: channel c at sample i is 100 c + i / 8, exact in every type used.
Made with h5py 3.16.0 (HDF5 2.0.0), numpy 2.4.6; the versions that are at hand when it is run are printed.
"""

import pathlib

import h5py
import numpy as np

HERE = pathlib.Path(__file__).parent
N, CHANNELS = 1000, 3
signals = (100.0 * np.arange(CHANNELS)[None, :] + np.arange(N)[:, None] / 8).astype("f8")


def h5py_file():
    with h5py.File(HERE / "h5py.h5", "w") as f:
        ecg = f.create_group("ecg")
        data = ecg.create_dataset("data", data=signals, chunks=(128, 2), compression="gzip", compression_opts=6, shuffle=True)
        data.attrs["channel_names"] = ["I", "II", "V1"]
        data.attrs["units"] = "mV"
        ecg.attrs["fs"] = 250.0
        # Whole numbers, channels first, the rate as a dataset.
        eeg = f.create_group("eeg")
        eeg.create_dataset("raw", data=(signals * 8).T.astype(">i2"), chunks=(1, 500), compression="gzip", shuffle=True, fletcher32=True)
        f.create_dataset("info/sfreq", data=np.int32(500))
        f.create_dataset("patient/age", data=np.float32(61))
        f.create_dataset("names", data=np.array(["a", "b"], dtype=h5py.string_dtype()))


def matlab_file():
    path = HERE / "matlab.mat"
    with h5py.File(path, "w", userblock_size=512) as f:
        # A MATLAB matrix of N rows and three columns.
        data = f.create_dataset("val", data=signals.T.astype("f4"), chunks=(1, 500), compression="gzip", compression_opts=3)
        data.attrs["MATLAB_class"] = np.bytes_("single")
        fs = f.create_dataset("Fs", data=np.array([[360.0]]))
        fs.attrs["MATLAB_class"] = np.bytes_("double")
    head = b"MATLAB 7.3 MAT-file, Platform: GLNXA64, Created on: Thu Jan  1 00:00:00 1970 HDF5 schema 1.00 .".ljust(116)
    with open(path, "r+b") as f:
        f.write(head + bytes(8) + b"\x00\x02IM")


h5py_file()
matlab_file()
print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version, "numpy", np.__version__)
for name in ("h5py.h5", "matlab.mat"):
    print(name, (HERE / name).stat().st_size, "bytes")
