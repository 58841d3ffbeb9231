"""Loading, heads, freezing, export of encoders."""
