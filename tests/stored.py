"""An artifact to store, and its key."""

import numpy as np

KEY = "a" * 64


def blocks(layout_chunks, values):
    """The tiles of ``values``, cut by NumPy alone."""
    grid = [range(-(-size // chunk)) for size, chunk in zip(values.shape, layout_chunks, strict=True)]
    for tile in np.ndindex(*map(len, grid)):
        yield tile, values[tuple(slice(at * chunk, (at + 1) * chunk) for at, chunk in zip(tile, layout_chunks, strict=True))]


def publish(store, values=None, *, kind="thing", key=KEY, chunks=(2, 2), info=None):
    """An artifact with one array ``x``, a document and a blob."""
    values = np.arange(15.0).reshape(5, 3) if values is None else values
    with store.draft(kind, key, {"n": 1}) as draft:
        draft.create("x", values.shape, values.dtype, chunks)
        for tile, block in blocks(chunks, values):
            draft.write("x", tile, block)
        draft.put_json("words", {"b": [1, 2.5, None], "a": "é"})
        draft.put_blob("bytes", b"\x00\x01" * 50)
        return draft.publish(info or {"seconds": 1.5})
