"""A load under way: the processes that send it, and what they tell meanwhile."""
