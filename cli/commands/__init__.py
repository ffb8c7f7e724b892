"""One file per command group: parse, build adapters, call one function, print."""
