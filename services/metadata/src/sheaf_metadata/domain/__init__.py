"""Nouns and rules of the record of documents; no I/O."""
