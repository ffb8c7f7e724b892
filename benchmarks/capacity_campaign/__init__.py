"""The parts of the campaign on a local region, a module each; benchmarks/capacity.py runs them."""
