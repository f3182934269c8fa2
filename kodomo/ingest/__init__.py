"""Deliveries: from the landing folder to schema raw, each file once, with all its rows accounted for."""
