"""Translators to outside systems that publish rates."""
