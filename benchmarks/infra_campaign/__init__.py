"""The parts of the provisioning campaign, a module each; benchmarks/provisioning.py runs them."""
