"""What a fleet would deploy, without an engine: the programs rehearsed, their requests as ARM templates and YAML."""
