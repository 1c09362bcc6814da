"""The names, documents and checks that the other rooms agree on.

Standard library only and no AWS, so that a Lambda, a SageMaker job, a stack and
a test can all import it and none of them can disagree.
"""
