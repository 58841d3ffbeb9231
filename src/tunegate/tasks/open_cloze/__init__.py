"""The word for a blank, out of all words that the model knows."""
