"""What leaves the house: queued in the transaction of the action itself, delivered by a job of its own."""
