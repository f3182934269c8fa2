"""Who sees what: the rules of access.yml, the scope of a user, the staff list."""
