"""What we do when: the journal, runbooks, incidents and drills. Imports dashboards, loadtests and infra."""
