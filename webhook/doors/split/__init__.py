"""Jobs counted in power, as the edge power scheduler takes them, and its three trees. Served by the API's door.

    bodies    requests and answers               parse     what is asked for, checked (pure)
    workflow  the Workflow of a job (pure)       progress  how far it is, and where (pure)
    jobs      submits, finds and shows jobs      trees     inventory, config and desired
    routes    the calls over HTTP

A job becomes a Workflow that is split into chunks, submitted at the front door as who calls: see `webhook.splitting`.
The trees are never mixed: what is discovered of targets, what people asked for, and what each target shall run.
"""
