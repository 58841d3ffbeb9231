"""PyTorch's `.bin` files read as data: nothing that they name is imported, nothing is called.

instructions   what a pickle says, carried out on values of our own by a table of a few instructions
reading        the two containers (zip since PyTorch 1.6, one stream before it), from tensors' places to numbers
"""
