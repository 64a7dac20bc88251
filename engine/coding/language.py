"""Languages by RFC 5646 tag (PS3.16 TID 1204)."""

from pydicom.sr.coding import Code

ENGLISH_US = Code("en-US", "RFC5646", "English (United States)")
