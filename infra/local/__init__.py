"""The local region: real Envoy, Prometheus and Alertmanager, simulated model servers, and their supervisor."""
