"""The wallet: what a traveller opens on the phone."""
