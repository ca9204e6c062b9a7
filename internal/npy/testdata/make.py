# Writes the arrays that the tests read back: python3 make.py, in this folder.
import numpy as np

rows = np.arange(6).reshape(2, 3)
np.save("f8.npy", rows / 4)
np.save("f4.npy", (rows / 4).astype("<f4"))
np.save("f2.npy", np.array([0, 1, -2, 65504, 6e-8, np.inf, np.nan, 1 / 3]).astype("<f2"))
np.save("i8.npy", rows * 2**40)
np.save("i4.npy", rows.astype("<i4") - 3)
np.save("u1.npy", rows.astype("u1") + 250)
np.save("b1.npy", rows % 2 == 0)
np.save("fortran.npy", np.asfortranarray(np.arange(24.0).reshape(2, 3, 4)))
np.save("scalar.npy", np.float64(2.5))
np.save("empty.npy", np.zeros((0, 3)))
np.save("bigendian.npy", rows.astype(">f8"))
np.save("complex.npy", rows * 1j)
with open("version2.npy", "wb") as f:
    np.lib.format.write_array(f, rows / 4, version=(2, 0))
np.savez("stored.npz", t=np.arange(3.0), u=rows.T / 4)
np.savez_compressed("deflated.npz", t=np.arange(3.0), u=rows.T / 4)
