"""Ways to pay, each with the contract suite."""
