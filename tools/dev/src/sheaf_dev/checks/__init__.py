"""The steps of `./sheaf check`: what a change must pass, beside the tests."""
