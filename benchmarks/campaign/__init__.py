"""What all campaigns share: figures as lines, and what earlier runs have finished."""
