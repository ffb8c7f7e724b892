"""How we press: traces, the streaming client and its report. Imports infra only."""
