"""Who acts: people and their roles, API clients and their keys."""
