"""The parts of the campaign for the load client, a module each; benchmarks/load.py runs them."""
