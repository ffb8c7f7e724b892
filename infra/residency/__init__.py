"""The proof that data stay in their residency group: by the fleet file, and by every request that would be sent."""
