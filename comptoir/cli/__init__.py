"""The commands: `comptoir up | serve | worker | verify | bench | demo`. One module per command."""
