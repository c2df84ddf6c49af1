"""Lifecycles of the pools behind the services: S3 clients, database connections, Redis.

Each module needs its extra of this package (`s3`, `mysql`, `redis`), which the service that
uses it names. A pool is opened once for a process's life and closed by what opened it.
"""
