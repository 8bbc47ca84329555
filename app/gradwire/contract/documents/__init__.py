"""The documents on the wire, as pydantic models: bodies, replies, tensors, arguments, values, tape, problems.

In a worker they validate the decoded body (`check.validate`); in the front they make the OpenAPI document
(`schemas.components`). Nothing else says what a document looks like.
"""
