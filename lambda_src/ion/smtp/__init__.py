"""Bytes to a mail server: one connection (`session`), many (`pool`), what replies mean.

Knows nothing of AWS, JSON or templates: it takes an envelope and bytes.
"""
