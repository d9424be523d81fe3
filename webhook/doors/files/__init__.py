"""Jobs with files, as science portals submit them to the Orchestrator: upload, wait, download `results.zip`.

    form      a multipart body, piece by piece            names, zips   what is refused of it
    bundle    the files of an upload as one object
    uploads   one upload: receive, check, queue           routes        the calls over HTTP
    workflow  the Workflow of a job (pure)                limits        how many of one user at once
    dispatch  submits jobs in order, and follows them     sweep         repairs, counts, removes what is old

A job is a row in the ledger from before its first byte is stored until nothing of it is left. The row names the folder
that its files are stored in, and then the Workflow that will be created: so each step can be repeated.
"""
