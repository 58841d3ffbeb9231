"""Who hangs on whom: a head and a relation for every word, which make a tree."""
