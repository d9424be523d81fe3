"""The ledger of the faults' world."""

from tests.faults.conftest import ledger

__all__ = ["ledger"]
