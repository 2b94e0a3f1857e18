"""Where a number came from: what a step computed, line by line, and the chain rule behind any gradient."""
