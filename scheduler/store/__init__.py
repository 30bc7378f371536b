"""The only SQL about subjects: tables, transactions, rows as values, the audit chain, the lease."""
