"""The machines' door: HTTP in, signed HTTP out."""
