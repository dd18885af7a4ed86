"""Writes of identity. Each function is one database transaction, or joins the caller's."""
