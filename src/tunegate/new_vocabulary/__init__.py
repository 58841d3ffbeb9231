"""A base model with a vocabulary of a person's own texts, and whether such a vocabulary pays."""
