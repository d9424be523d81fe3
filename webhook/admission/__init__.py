"""AdmissionReview in, AdmissionReview out.

`wire` reads and writes the protocol, `submission` reads the user's Workflow, `hold` makes the stub; all pure. `review`
puts them together. Nothing here is changed outside the ledger: a request that is rejected later leaves no run behind.
"""
