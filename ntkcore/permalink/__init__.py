"""Specifications and views as the query of an address, and back: the address says exactly what was chosen.

A query holds only what differs from the defaults of the chosen data set and architecture, so that links stay short.
Reading is strict: an unknown name or a value out of range is reported, never dropped, because a link that silently
shows something else is worse than one that says what is wrong with it. The command line and the notebook take the same
names.
"""

from ntkcore.permalink.address import Address, Change, Query
from ntkcore.permalink.pages import ADDRESSES
from ntkcore.permalink.ranges import read_ranges, write_ranges

LIST_FIELDS = frozenset(
    name for address in ADDRESSES.values() for name in (*address.fields, *address.view_fields) if address.form(name).many
)
"""Names that may occur more than once in an address, on whichever page."""

__all__ = ["ADDRESSES", "LIST_FIELDS", "Address", "Change", "Query", "read_ranges", "write_ranges"]
