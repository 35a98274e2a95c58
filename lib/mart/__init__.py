"""The mart: columnar facts and grouped tables, a rebuildable copy of the order database."""
