"""A tag for every word: names and other spans (NER), parts of speech."""
