"""Readers of the files that netc's programs read and write, strict and independent of netc."""
import gzip
import json
import os
import struct

import numpy as np

TYPES = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}


def safetensors(path):
    """(tensors, metadata) of a safetensors file; an assertion where it breaks the format."""
    with open(path, "rb") as file:
        content = file.read()
    assert len(content) >= 8, "no length of the header"
    (length,) = struct.unpack_from("<Q", content)
    assert 8 + length <= len(content), "the header goes beyond the file"
    text = content[8 : 8 + length]
    assert text[:1] == b"{", "the header does not begin with {"

    def unique(pairs):
        names = [name for name, _ in pairs]
        assert len(set(names)) == len(names), f"a name twice in {names}"
        return dict(pairs)

    header = json.loads(text.decode("utf-8"), object_pairs_hook=unique)
    metadata = header.pop("__metadata__", {})
    assert all(isinstance(value, str) for value in metadata.values()), "metadata not of strings"
    data = content[8 + length :]
    tensors, end = {}, 0
    for name, entry in sorted(header.items(), key=lambda item: item[1]["data_offsets"]):
        assert set(entry) == {"dtype", "shape", "data_offsets"}, f"{name}: {entry}"
        dtype = TYPES[entry["dtype"]]
        begin, stop = entry["data_offsets"]
        count = int(np.prod(entry["shape"], dtype=np.int64))
        assert begin == end, f"{name} begins at {begin}, not at {end}"
        assert stop - begin == count * dtype.itemsize, f"{name}: {entry}"
        assert begin % dtype.itemsize == 0, f"{name} is not aligned"
        tensors[name] = np.frombuffer(data, dtype, count, begin).reshape(entry["shape"]).copy()
        end = stop
    assert end == len(data), f"{len(data) - end} bytes behind the last tensor"
    return tensors, metadata


def idx(path):
    """The array in an IDX file of bytes, gzipped or not."""
    if not os.path.exists(path):
        path += ".gz"
    with (gzip.open if path.endswith(".gz") else open)(path, "rb") as file:
        content = file.read()
    zero, kind, rank = struct.unpack_from(">HBB", content)
    assert (zero, kind) == (0, 8), "no IDX file of bytes"
    shape = struct.unpack_from(f">{rank}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


def data_set(folder, part):
    """(pictures, labels) of `train` or `t10k`."""
    return (
        idx(f"{folder}/{part}-images-idx3-ubyte"),
        idx(f"{folder}/{part}-labels-idx1-ubyte"),
    )


def write_data_set(folder, part, pictures, labels):
    """The same, plain."""
    os.makedirs(folder, exist_ok=True)
    for name, array in ((f"{part}-images-idx3-ubyte", pictures),
                        (f"{part}-labels-idx1-ubyte", labels)):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape))
            file.write(np.ascontiguousarray(array, np.uint8).tobytes())
