"""The fleet: what runs where, and what it promises. Imports no other room."""
