"""What a fleet is made of in Azure: one Pulumi component per file, put together by the programs in infra/stacks."""
