"""One module per outside standard, with the same verbs in each: parse, validate, format or build."""
