"""AdmissionReview in, AdmissionReview out.

`wire` reads and writes the protocol. `review` is the way of a submission, with a file for each step: `restore`,
`gather`, `weigh`, `reserve`, `preflight`, `answer`. `changes` answers for what people do to an origin afterwards.
Nothing here is changed outside the ledger: a request that is rejected later leaves no run behind.
"""
