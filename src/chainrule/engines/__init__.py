"""Who runs an objective over batches: `interface` is the contract, `reference` the readable one, `choose` picks."""
