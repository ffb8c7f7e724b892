"""One request on the wire: what is sent, what comes back and when, and what that came to."""
