"""Readers, checks on text, augmenters, splits, tokens: pure functions of their arguments."""
