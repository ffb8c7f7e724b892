"""What a fleet comes to in Azure, as values: stacks, names, places, addresses, pools. Asks nobody, creates nothing."""
