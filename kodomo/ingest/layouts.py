"""Recognises the layout of a file from its headings, and maps its columns to the contract."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from kodomo.contract import Contract, HeadingRules, Layout, Origin

_ERAS = {"1": "M", "2": "T", "3": "S", "4": "H", "5": "R"}
"""The code of an era in the national standard → its letter."""
_YEAR_OF_AN_ERA = "^[ \u3000]*(?:元|[0-9０-９]{1,2}[^0-9０-９]|[0-9０-９]{6}[ \u3000]*$)"


def spelled(key: str, contract: Contract, rules: HeadingRules) -> str:
    """A heading (as ``heading_key``) in the spelling of the contract's layouts, where one of them knows it."""
    if key in contract.headings:
        return key
    return contract.aliases.get(key) or rules.aliases.get(key, key)


def recognise(headings: Sequence[str], contract: Contract) -> Layout:
    """The layout that knows most of the headings; of two alike, the first."""
    return max(contract.layouts, key=lambda layout: len(layout.headings.intersection(headings)))


def positions_of(origin: Origin, headings: Sequence[str]) -> list[int]:
    """Where the headings of an origin stand in a file, in the origin's order; those that are not there left out."""
    return [headings.index(heading) for heading in origin.headings if heading in headings]


def combined(parts: Sequence[pa.Array], origin: Origin) -> pa.Array:
    """The delivered texts of an origin's headings as the one column that they make."""
    values = parts[0]
    for part in parts[1:]:
        if origin.takes == "first":
            values = pc.if_else(_is_empty(values), part, values)
            continue
        if origin.takes == "era":
            is_bare = pc.match_substring_regex(part, _YEAR_OF_AN_ERA)
            values = pc.if_else(is_bare, pc.binary_join_element_wise(_era_letters(values), part, ""), part)
            continue
        # An address written whole into its last part holds the parts before it.
        rest = pc.if_else(_begins_with(part, values), "", values)
        separator = pc.if_else(pc.or_(_is_empty(rest), _is_empty(part)), "", origin.separator)
        values = pc.binary_join_element_wise(pc.binary_join_element_wise(rest, separator, ""), part, "")
    return values


def _era_letters(values: pa.Array) -> pa.Array:
    """Codes of eras as letters; what is no code stays: 昭和, S."""
    codes = pc.utf8_ltrim(pc.utf8_normalize(pc.utf8_trim_whitespace(values), form="NFKC"), "0")
    index = pc.index_in(codes, pa.array(list(_ERAS), pa.string()))
    return pc.coalesce(pc.take(pa.array(list(_ERAS.values()), pa.string()), index), codes)


def _is_empty(values: pa.Array) -> pa.Array:
    return pc.equal(pc.utf8_trim_whitespace(values), "")


def _begins_with(values: pa.Array, beginnings: pa.Array) -> pa.Array:
    length = pc.utf8_length(beginnings)
    is_longer = pc.greater_equal(pc.utf8_length(values), length)
    # The lengths differ from row to row, which no kernel of Arrow takes: few distinct ones are cut one by one.
    begins = pa.nulls(len(values), pa.bool_()).fill_null(False)
    for size in pc.unique(length.filter(is_longer)).to_pylist():
        is_so = pc.and_(pc.equal(length, size), pc.equal(pc.utf8_slice_codeunits(values, 0, size), beginnings))
        begins = pc.or_(begins, is_so)
    return begins
