"""One of some options: the answer to a question, the word for a blank, the reason for a statement."""
