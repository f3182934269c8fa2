"""Data entered by hand: forms, store, meeting, support measures."""
