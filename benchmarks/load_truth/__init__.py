"""A server of known truth in C, and what drives it. Shares no code with the load client that is measured against it."""
