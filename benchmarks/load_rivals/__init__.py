"""Load clients that are measured side by side, a module each: ours, and others in environments of their own."""
