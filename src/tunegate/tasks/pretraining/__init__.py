"""Pre-training: learning a language from texts alone, by filling in words and telling what follows what."""
