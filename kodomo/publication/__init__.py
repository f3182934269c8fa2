"""Publishing: a file per scope, switched at once, so that BI reads a whole publication or the one before."""

from kodomo.publication.publication import (
    Publication,
    check_in_service,
    current,
    exported_file,
    file_of,
    list_publications,
    publish,
    refresh,
    rollback,
    scope_file,
)

__all__ = [
    "Publication",
    "check_in_service",
    "current",
    "exported_file",
    "file_of",
    "list_publications",
    "publish",
    "refresh",
    "rollback",
    "scope_file",
]
