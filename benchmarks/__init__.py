"""Ratios against named peers, each in one run."""
