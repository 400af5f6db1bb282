"""Steps from each released form of the ledger to the next."""
