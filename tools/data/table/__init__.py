"""Tables that people bring (CSV and its relatives): one reader with one contract for every tool (see README.md)."""
