"""Everything that exists in AWS: settings, stacks, one construct per capability, the pipeline definition."""
