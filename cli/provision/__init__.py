"""How a fleet is provisioned: scope, plan, run, failure and progress as values, and the loop over the stacks."""
