"""`python -m tunegate.cli` is `tunegate`: how the program starts itself as a child, whatever the PATH is."""

from tunegate.cli import main

main()
