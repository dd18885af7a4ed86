"""A later version: an application whose one migration adds a column to the table of payments."""
