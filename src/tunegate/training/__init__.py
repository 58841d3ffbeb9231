"""Batches, loop, optimiser, checkpoints: tensors only."""
