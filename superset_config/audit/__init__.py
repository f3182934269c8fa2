"""Who saw, exported, searched, determined and entered what, and when: kept as it happens, read as a dashboard."""
