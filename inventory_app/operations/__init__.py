"""The business operations and the reads: the rules, and nothing of Reflex or HTTP."""
