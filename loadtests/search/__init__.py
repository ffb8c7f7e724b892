"""How much load a service can take: the SLO as criteria, a probe judged by them, and which probe to send next."""
