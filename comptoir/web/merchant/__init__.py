"""The merchant's desk: what was sold, and how it is set up."""
