"""What the other folders agree on: names, documents and their checks.

Standard library only and no AWS, so that a Lambda, a SageMaker job, a stack and
a test can all import it and none of them can disagree.
"""
