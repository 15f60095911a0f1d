"""The audit trail: its tables, its triggers, and the check that they are as installed."""
