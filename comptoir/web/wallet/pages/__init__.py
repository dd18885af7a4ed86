"""The wallet's pages, one module a subject."""
