"""One module per page: what it shows, gathered as a frozen value that a template reads."""
