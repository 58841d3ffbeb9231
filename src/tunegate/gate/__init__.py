"""Checks and the verdict."""
