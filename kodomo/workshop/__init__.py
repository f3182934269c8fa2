"""Drafts of the risk definition: changed row by row, checked, tried out on the publication in service."""
