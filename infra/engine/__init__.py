"""Pulumi's real engine: its commands on one stack, what it says while it runs, and what others changed meanwhile."""
