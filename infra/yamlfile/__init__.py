"""The YAML files that people edit: read once, checked against a model, every problem with its line and column."""
