"""The people's doors, one package per audience. Server-rendered; a page works without a script."""
