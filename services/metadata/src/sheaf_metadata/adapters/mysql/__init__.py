"""The record in MySQL: a module for each use case, its statements beside it.

Statements run on MySQL 8 and MariaDB 10.11 alike, under READ COMMITTED. Rows are locked and
written by primary key in ascending id, documents before batches, so transactions cannot
deadlock over them; where two still do, the transaction is repeated.
"""
