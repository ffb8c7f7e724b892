"""When which request is due: recorded traces, arrival processes, and the profiles that name them."""
