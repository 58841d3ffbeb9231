"""The web page for data and model versions."""
