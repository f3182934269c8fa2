"""The audit log: views, exports, searches, determinations and entries with user and time, shown as a dashboard."""
