"""How a home fares: read from files and small queries, so that it may be asked every few seconds."""
