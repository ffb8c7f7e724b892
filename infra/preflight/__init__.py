"""Whether a fleet can be had in Azure, at which limits, and for how much: counted before anything is asked of it."""
