"""Other systems' ways in. Each door is a package here, and ends in a Workflow submitted at the front door.

A door speaks its system's protocol and keeps what that protocol promises. Where a Workflow runs, and when, is decided
as for all others: a door has no scheduler of its own. Who calls is known at every door.

    calling   who calls
    speaking  who may speak for others      templates  the WorkflowTemplates that a door's jobs are made from
    plan      what to do about a job (pure) follower   submits the Workflows of jobs, and follows them
    sweeping  what sweeps have in common    patience   how long a client may take
    store     S3                            results    what a run has left, as a zip
    pieces    files that are streamed       downloading  that zip as an answer
    broker    RabbitMQ
"""
