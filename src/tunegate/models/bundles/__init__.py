"""Reads TensorFlow's checkpoint files (TensorBundle, `NAME.index` and `NAME.data-00000-of-0000N`) without TensorFlow.

    bundle.py     opens a checkpoint, lists its tensors, reads one
    entries.py    what the index says of a tensor
    slices.py     tensors that were saved in parts
    table.py      the index file: a sorted table in LevelDB's format
    wire.py       protocol buffers' wire format
    crc32c.py     the checksums of all of them
    damage.py     one sentence for a file that is not whole

Knows nothing of models. Every length and place in a file is checked before it is used, so a damaged or hostile file is
one sentence (UserError), never a crash or a large allocation.
"""
