"""Intervals, paired tests, calibration: arrays in, numbers out. No texts, no files, no tasks."""
