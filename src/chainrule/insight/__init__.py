"""Where a number came from: a step told line by line, the chain rule behind any gradient, circuits, gradient checks."""
