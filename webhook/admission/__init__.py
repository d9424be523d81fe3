"""AdmissionReview in, AdmissionReview out.

`wire` reads and writes the protocol. `review` handles a submission, with a module for each step: `restore`, `gather`,
`refer`, `weigh`, `reserve`, `preflight`, `answer`. `changes` handles later changes to an origin. No run is created
here, so a request that is rejected later leaves none behind.
"""
