"""What people type: forms, store, meeting, support measures."""
