"""The counter: what a shop assistant uses all day."""
