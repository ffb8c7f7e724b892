"""A load as something else carries it out: objects of Kubernetes, a test of Azure Load Testing. Imports infra only."""
