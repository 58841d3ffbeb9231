"""What computes: named arrays in, named arrays out."""
