"""Adapters, each named for the system it speaks to. They do not know each other."""
