"""The command line: one parser, one small file a verb."""
