"""Django glue: fields, operation guards, locks, outbox, scheduler, and the runners of database flows."""
