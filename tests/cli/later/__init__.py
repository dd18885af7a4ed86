"""A later version: an application that adds a column to the table of payments, and an index beside them."""
