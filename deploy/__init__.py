"""Getting Kuji to run: the command line, the servers of one machine, images, campaign files, the demo."""
