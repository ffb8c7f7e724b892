"""What we watch: objectives, rules, panels and boards, and their sync. Imports infra only."""
