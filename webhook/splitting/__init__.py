"""A Workflow that is a fan-out, cut into chunks that are Workflows of their own. Pure.

    asked     the annotation that asks for it               shape     what can be split, and into which items
    cut       how many items the next chunk has             chunk     the Workflow of a chunk
    gather    what its items have left, in their order      progress  how far chunks are
    moving    which chunks are to go elsewhere              nodes     how an origin shows its chunks

Chunks are placed like all other Workflows: nothing here chooses a target. Items are never copied, only counted: a chunk
has spans of positions, and over all chunks each position is there once.
"""
