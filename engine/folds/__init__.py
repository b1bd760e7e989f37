"""Folds over events: each is fed batches in order, and a live run, a replay and a test count alike."""
